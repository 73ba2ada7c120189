// grid_sample: output[n, p, c] = sum over i, j, k of weight_i * weight_j * weight_k * input[n, z_i, y_j, x_k, c]
//
// The point p of item n has up to three coordinates in `grid`: x along the last axis, then y, then z. From -1 to 1 a
// coordinate crosses the axis, whose ends are the outermost pixels' centers with `align_corners`, and their outer edges
// without. An axis that has no coordinate has length 1.
//
// Which pixels count: NEAREST the nearest one (ties to even), LINEAR the two around the place, CUBIC the four around it
// (Keys' cubic, a = -0.75). Outside of the input: ZEROS counts 0, BORDER moves the place and the pixels to the nearest
// pixel, REFLECTION folds both back at the axis's ends.
//
// A coordinate that is NaN, or that cannot be folded as it is infinite, gives NaN. A pixel of weight 0 is not read.
// channels4 takes four channels at a time; for it `channels` is C / 4.

struct Params {
    threads: u32,
    // of one item
    points: u32,
    channels: u32,
    depth: u32,
    height: u32,
    width: u32,
    // coordinates of a point
    axes: u32,
    mode: u32,
    padding: u32,
    align_corners: u32,
    // NaN, which WGSL has no number for
    not_a_number: f32,
}

const NEAREST: u32 = 0u;
const LINEAR: u32 = 1u;
const ZEROS: u32 = 0u;
const BORDER: u32 = 1u;
const REFLECTION: u32 = 2u;

@group(0) @binding(0) var<uniform>             params:  Params;
@group(0) @binding(1) var<storage, read>       input:   array<f32>;       // (N, D, H, W, C)
@group(0) @binding(2) var<storage, read>       grid:    array<f32>;       // (N, P, axes)
@group(0) @binding(3) var<storage, read_write> output:  array<f32>;       // (N, P, C)
// the same buffers, four channels at a time
@group(0) @binding(1) var<storage, read>       input4:  array<vec4<f32>>; // (N, D, H, W, C / 4)
@group(0) @binding(3) var<storage, read_write> output4: array<vec4<f32>>; // (N, P, C / 4)

// The pixels of one axis that count. One outside has the weight 0.
struct Taps {
    count: u32,
    pixels: vec4<u32>,
    weights: vec4<f32>,
    is_nan: bool,
}

// Folds a place back at the ends of an axis; its ends differ.
fn reflect_place(x: f32, low: f32, high: f32) -> f32 {
    let length = high - low;
    let beyond = max(low - x, x - high);
    let folds = floor(beyond / length);
    let rest = clamp(beyond - folds * length, 0.0, length);
    let is_odd = folds - 2.0 * floor(folds * 0.5) > 0.5;
    return select(low + rest, high - rest, (x > high) != is_odd);
}

// The pixel that stands for a number of a pixel, which is at most 8 before or behind the axis.
fn inside(at: i32, length: u32) -> u32 {
    let last = i32(length) - 1;
    if params.padding != REFLECTION {
        return u32(clamp(at, 0, last));
    }
    // With align_corners the outermost pixels stand at the folds, so that they are not repeated.
    let period = max(2 * i32(length) - 2 * i32(params.align_corners), 1);
    let folded = (at + 8 * period) % period;
    return u32(select(period - i32(1u - params.align_corners) - folded, folded, folded <= last));
}

// Keys' cubic with a = -0.75, for distances below 1, and from 1 to 2.
fn near(d: f32) -> f32 {
    return (1.25 * d - 2.25) * d * d + 1.0;
}

fn far(d: f32) -> f32 {
    return -0.75 * (((d - 5.0) * d + 8.0) * d - 4.0);
}

fn taps(coordinate: f32, length: u32) -> Taps {
    let last = f32(length) - 1.0;
    let aligned = params.align_corners != 0u;
    let low = select(-0.5, 0.0, aligned);
    let high = select(f32(length) - 0.5, last, aligned);
    var x = select(((coordinate + 1.0) * f32(length) - 1.0) * 0.5, (coordinate + 1.0) * 0.5 * last, aligned);
    let magnitude = bitcast<u32>(x) & 0x7fffffffu;
    var result: Taps;
    result.is_nan = magnitude > 0x7f800000u || (params.padding == REFLECTION && magnitude == 0x7f800000u);
    if params.mode == NEAREST {
        x = round(x);
    }
    if x < low || x > high {
        if params.padding == BORDER {
            x = clamp(x, 0.0, last);
        } else if params.padding == REFLECTION && high > low {
            x = reflect_place(x, low, high);
        }
    }
    // Farther away no pixel is reached either, and the numbers stay small.
    x = clamp(x, -4.0, f32(length) + 4.0);
    let first = floor(x);
    let t = x - first;
    var at = vec4(i32(first)) + vec4(0, 1, 2, 3);
    if params.mode == NEAREST {
        result.count = 1u;
        result.weights = vec4(1.0, 0.0, 0.0, 0.0);
    } else if params.mode == LINEAR {
        result.count = 2u;
        result.weights = vec4(1.0 - t, t, 0.0, 0.0);
    } else {
        at -= 1;
        result.count = 4u;
        result.weights = vec4(far(1.0 + t), near(t), near(1.0 - t), far(2.0 - t));
    }
    let is_outside = (at < vec4(0)) | (at >= vec4(i32(length)));
    if params.padding == ZEROS {
        result.weights = select(result.weights, vec4(0.0), is_outside);
    }
    result.pixels = vec4(
        inside(at.x, length), inside(at.y, length), inside(at.z, length), inside(at.w, length),
    );
    return result;
}

// The taps of an axis that may not be there.
fn axis_taps(point: u32, axis: u32, length: u32) -> Taps {
    if axis >= params.axes {
        return Taps(1u, vec4(0u), vec4(1.0, 0.0, 0.0, 0.0), false);
    }
    return taps(grid[point * params.axes + axis], length);
}

// Where the line of an image begins, in pixels.
fn line(point: u32, z: u32, y: u32) -> u32 {
    return ((point / params.points * params.depth + z) * params.height + y) * params.width;
}

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn general(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let point = index / params.channels;
    let channel = index - point * params.channels;
    var xs = axis_taps(point, 0u, params.width);
    var ys = axis_taps(point, 1u, params.height);
    var zs = axis_taps(point, 2u, params.depth);
    var sum = 0.0;
    for (var i = 0u; i < zs.count; i++) {
        for (var j = 0u; j < ys.count; j++) {
            let weight = zs.weights[i] * ys.weights[j];
            let start = line(point, zs.pixels[i], ys.pixels[j]);
            for (var k = 0u; k < xs.count; k++) {
                let product = weight * xs.weights[k];
                if product != 0.0 {
                    sum += product * input[(start + xs.pixels[k]) * params.channels + channel];
                }
            }
        }
    }
    output[index] = select(sum, params.not_a_number, xs.is_nan || ys.is_nan || zs.is_nan);
}

// One thread computes four channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn channels4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let point = index / params.channels;
    let channel = index - point * params.channels;
    var xs = axis_taps(point, 0u, params.width);
    var ys = axis_taps(point, 1u, params.height);
    var zs = axis_taps(point, 2u, params.depth);
    var sum = vec4(0.0);
    for (var i = 0u; i < zs.count; i++) {
        for (var j = 0u; j < ys.count; j++) {
            let weight = zs.weights[i] * ys.weights[j];
            let start = line(point, zs.pixels[i], ys.pixels[j]);
            for (var k = 0u; k < xs.count; k++) {
                let product = weight * xs.weights[k];
                if product != 0.0 {
                    sum += product * input4[(start + xs.pixels[k]) * params.channels + channel];
                }
            }
        }
    }
    output4[index] = select(sum, vec4(params.not_a_number), xs.is_nan || ys.is_nan || zs.is_nan);
}
