// Which thread this is, in a grid folded over x and y.

const WORKGROUP_SIZE: u32 = 64u;

// group: workgroup_id; groups: num_workgroups; local: local_invocation_index.
fn thread_index(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
    return (group.y * groups.x + group.x) * WORKGROUP_SIZE + local;
}
