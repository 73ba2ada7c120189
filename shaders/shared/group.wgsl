// What the threads of one workgroup found, brought together.
//
// A long row has few results: with one thread for each, most of a GPU would stand idle, and each
// thread would read far from its neighbors. So 64 threads share a row. They meet at barriers, the
// only ones in these shaders; the launch takes this way for long rows alone.

var<workgroup> group_parts: array<f32, 64>;
var<workgroup> group_eighths: array<f32, 8>;

// Merges one value of each thread, in a fixed order; every thread gets the result. All threads of
// the group must call it.
fn group_merge(kind: u32, local: u32, value: f32) -> f32 {
    group_parts[local] = value;
    workgroupBarrier();
    if local < 8u {
        var eighth = group_parts[8u * local];
        for (var i = 1u; i < 8u; i++) {
            eighth = merge(kind, eighth, group_parts[8u * local + i]);
        }
        group_eighths[local] = eighth;
    }
    workgroupBarrier();
    var whole = group_eighths[0];
    for (var i = 1u; i < 8u; i++) {
        whole = merge(kind, whole, group_eighths[i]);
    }
    // No thread may write the next value before all have read this one.
    workgroupBarrier();
    return whole;
}
