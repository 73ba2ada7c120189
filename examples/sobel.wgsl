// sobel: edges = strength * sqrt(gx^2 + gy^2), for each channel of an image.
//
// gx and gy are Sobel's 3x3 differences; pixels beyond the border repeat the border's.

struct Params {
    image_shape: vec4<u32>, // filled with the shape of `image`
    strength: f32,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       image:  array<f32>; // (batch, height, width, channels)
@group(0) @binding(2) var<storage, read_write> edges:  array<f32>; // as image

// A pixel's channel; row and column are moved into the image.
fn pixel(item: u32, row: i32, column: i32, channel: u32) -> f32 {
    let shape = params.image_shape;
    let y = u32(clamp(row, 0, i32(shape.y) - 1));
    let x = u32(clamp(column, 0, i32(shape.z) - 1));
    return image[((item * shape.y + y) * shape.z + x) * shape.w + channel];
}

// One thread computes one number of `edges`.
@compute @workgroup_size(64)
fn sobel(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let shape = params.image_shape;
    let index = (group.y * groups.x + group.x) * 64u + local;
    if index >= shape.x * shape.y * shape.z * shape.w {
        return;
    }
    let channel = index % shape.w;
    let x = i32(index / shape.w % shape.z);
    let y = i32(index / (shape.w * shape.z) % shape.y);
    let item = index / (shape.w * shape.z * shape.y);
    var gx = 0.0;
    var gy = 0.0;
    for (var offset = -1; offset <= 1; offset++) {
        let weight = f32(2 - abs(offset));
        gx += weight * (pixel(item, y + offset, x + 1, channel) - pixel(item, y + offset, x - 1, channel));
        gy += weight * (pixel(item, y + 1, x + offset, channel) - pixel(item, y - 1, x + offset, channel));
    }
    edges[index] = params.strength * sqrt(gx * gx + gy * gy);
}
