// resize2d: the entry points that apply an epilogue to each result.
//! uses epilogue

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn nearest_staged(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output[index] = finish(index, nearest_at(index));
    }
}

// One thread computes four channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn nearest4_staged(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output4[index] = finish4(index, nearest4_at(index));
    }
}

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn taps_staged(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output[index] = finish(index, taps_at(index));
    }
}

// One thread computes four channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn taps4_staged(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output4[index] = finish4(index, taps4_at(index));
    }
}
