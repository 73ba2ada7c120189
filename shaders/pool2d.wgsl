// pool2d: output[n, y, x, c] = P over i, j of input[n, y * stride_height + i * dilation_height - pad_top,
//                                               x * stride_width + j * dilation_width - pad_left, c]
//
// Images are (batch, height, width, channels). Pixels outside the image are left out. P is
//
//   MAX:      the largest; NaN if there is a NaN
//   AVERAGE:  the sum, divided by the number of pixels, or, with `count_padding`, by the number of
//             taps on the padded image
//   LP:       m * (sum of (|pixel| / m)^p)^(1 / p), where m, of the size of the largest |pixel|,
//             keeps the powers from overflow and underflow
//
// A window without a pixel gives `nothing`, unless padding is counted.
// The entries with channels4 in their names take four channels at a time; for them `channels` is
// C / 4. An epilogue is applied to each result.

struct Params {
    threads: u32,
    input_height: u32,
    input_width: u32,
    channels: u32,
    output_height: u32,
    output_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_height: u32,
    stride_width: u32,
    dilation_height: u32,
    dilation_width: u32,
    pad_top: u32,
    pad_left: u32,
    // the image with its padding on both sides
    padded_height: u32,
    padded_width: u32,
    mode: u32,
    count_padding: u32,
    // the power of LP
    p: u32,
    // -infinity, NaN or 0; what a maximum begins with
    nothing: f32,
    epilogue: Epilogue,
}

const MAX: u32 = 0u;
const AVERAGE: u32 = 1u;

@group(0) @binding(0) var<uniform>             params:  Params;
@group(0) @binding(1) var<storage, read>       input:   array<f32>;       // (N, H, W, C)
@group(0) @binding(2) var<storage, read_write> output:  array<f32>;       // (N, Y, X, C)
@group(0) @binding(3) var<storage, read>       extra:   array<f32>;       // (P), or the input again
// the same buffers, four channels at a time
@group(0) @binding(1) var<storage, read>       input4:  array<vec4<f32>>; // (N, H, W, C / 4)
@group(0) @binding(2) var<storage, read_write> output4: array<vec4<f32>>; // (N, Y, X, C / 4)

struct Window {
    // index of the first tap that lies on the image
    source: u32,
    rows: u32,
    columns: u32,
    // from one tap to the next, in elements
    row_step: u32,
    column_step: u32,
    // what an average is divided by
    count: f32,
}

fn window(index: u32) -> Window {
    let pixel = index / params.channels;
    let line = pixel / params.output_width;
    let image = line / params.output_height;
    let top = (line - image * params.output_height) * params.stride_height;
    let left = (pixel - line * params.output_width) * params.stride_width;
    let rows = clip(top, params.dilation_height, params.pad_top, params.kernel_height, params.input_height);
    let columns = clip(left, params.dilation_width, params.pad_left, params.kernel_width, params.input_width);
    var result: Window;
    // An empty range has its end before its first.
    result.rows = max(rows.y, rows.x) - rows.x;
    result.columns = max(columns.y, columns.x) - columns.x;
    result.row_step = params.dilation_height * params.input_width * params.channels;
    result.column_step = params.dilation_width * params.channels;
    let row = image * params.input_height + top + rows.x * params.dilation_height - params.pad_top;
    let column = left + columns.x * params.dilation_width - params.pad_left;
    result.source = (row * params.input_width + column) * params.channels + index - pixel * params.channels;
    result.count = f32(result.rows) * f32(result.columns);
    if params.count_padding != 0u {
        let high = clip(top, params.dilation_height, 0u, params.kernel_height, params.padded_height).y;
        let wide = clip(left, params.dilation_width, 0u, params.kernel_width, params.padded_width).y;
        result.count = f32(high) * f32(wide);
    }
    return result;
}

fn raised(x: vec4<f32>) -> vec4<f32> {
    var result = vec4(1.0);
    var square = x;
    for (var p = params.p; p > 0u; p >>= 1u) {
        if (p & 1u) != 0u {
            result *= square;
        }
        square *= square;
    }
    return result;
}

// x^(1 / p) for x between 1 and the number of taps.
fn root(x: vec4<f32>) -> vec4<f32> {
    if params.p == 1u {
        return x;
    }
    if params.p == 2u {
        return sqrt(x);
    }
    let p = f32(params.p);
    let guess = exp2(log2(x) / p);
    // A step of Newton's method: the functions above may be off by many units.
    return guess + guess * (x / raised(guess) - 1.0) / p;
}

// What |pixel| is divided by. For p up to 2 a power of two, so that nothing is rounded.
fn unit(largest: vec4<f32>) -> vec4<f32> {
    if params.p > 2u {
        return largest;
    }
    let bits = clamp(bitcast<vec4<u32>>(largest) & vec4(0x7f800000u), vec4(0x00800000u), vec4(0x7e800000u));
    return bitcast<vec4<f32>>(bits);
}

// The norm from the largest magnitude, its unit and the sum of powers of |pixel| / unit.
fn norm(largest: vec4<f32>, by: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
    // 0 (with what may be flushed to it), infinity and NaN are the norm themselves.
    let bits = bitcast<vec4<u32>>(largest) & vec4(0x7fffffffu);
    let is_itself = (bits < vec4(0x00800000u)) | (bits >= vec4(0x7f800000u));
    return select(by * root(sum), largest, is_itself);
}

fn is_nan4(x: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(x) & vec4(0x7fffffffu)) > vec4(0x7f800000u);
}

// The largest pixel, or the largest magnitude; NaN if there is a NaN.
fn largest1(at: Window, mask: u32) -> f32 {
    var best = params.nothing;
    var nan = vec4(0.0);
    for (var i = 0u; i < at.rows; i++) {
        var source = at.source + i * at.row_step;
        for (var j = 0u; j < at.columns; j++) {
            let x = bitcast<f32>(bitcast<u32>(input[source]) & mask);
            best = max(best, x);
            nan = select(nan, vec4(x), is_nan4(vec4(x)));
            source += at.column_step;
        }
    }
    return select(best, nan.x, is_nan4(nan).x);
}

fn largest4(at: Window, mask: u32) -> vec4<f32> {
    var best = vec4(params.nothing);
    var nan = vec4(0.0);
    for (var i = 0u; i < at.rows; i++) {
        var source = at.source + i * at.row_step;
        for (var j = 0u; j < at.columns; j++) {
            let x = bitcast<vec4<f32>>(bitcast<vec4<u32>>(input4[source]) & vec4(mask));
            best = max(best, x);
            nan = select(nan, x, is_nan4(x));
            source += at.column_step;
        }
    }
    return select(best, nan, is_nan4(nan));
}

fn pooled(index: u32) -> f32 {
    let at = window(index);
    if params.mode == MAX {
        return largest1(at, 0xffffffffu);
    }
    var largest = vec4(0.0);
    var by = vec4(1.0);
    if params.mode != AVERAGE {
        largest = vec4(largest1(at, 0x7fffffffu));
        by = unit(largest);
    }
    var sum = 0.0;
    for (var i = 0u; i < at.rows; i++) {
        var source = at.source + i * at.row_step;
        for (var j = 0u; j < at.columns; j++) {
            let x = input[source];
            if params.mode == AVERAGE {
                sum += x;
            } else {
                sum += raised(vec4(abs(x) / by.x)).x;
            }
            source += at.column_step;
        }
    }
    if params.mode != AVERAGE {
        return norm(largest, by, vec4(sum)).x;
    } else if at.count == 0.0 {
        return params.nothing;
    } else {
        return sum / at.count;
    }
}

fn pooled4(index: u32) -> vec4<f32> {
    let at = window(index);
    if params.mode == MAX {
        return largest4(at, 0xffffffffu);
    }
    var largest = vec4(0.0);
    var by = vec4(1.0);
    if params.mode != AVERAGE {
        largest = largest4(at, 0x7fffffffu);
        by = unit(largest);
    }
    var sum = vec4(0.0);
    for (var i = 0u; i < at.rows; i++) {
        var source = at.source + i * at.row_step;
        for (var j = 0u; j < at.columns; j++) {
            let x = input4[source];
            if params.mode == AVERAGE {
                sum += x;
            } else {
                sum += raised(abs(x) / by);
            }
            source += at.column_step;
        }
    }
    if params.mode != AVERAGE {
        return norm(largest, by, sum);
    } else if at.count == 0.0 {
        return vec4(params.nothing);
    } else {
        return sum / at.count;
    }
}

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn general(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output[index] = finish(index, pooled(index));
    }
}

// One thread computes four channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn channels4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output4[index] = finish4(index, pooled4(index));
    }
}
