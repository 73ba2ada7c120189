// normalization: the entry points that apply an epilogue to each result.
//! uses epilogue

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn general_staged(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output[index] = finish(index, normalized(index));
    }
}
