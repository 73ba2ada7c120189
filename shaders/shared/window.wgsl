// Which taps of a convolution window lie on the image.

// The taps [x, y) with 0 <= origin + tap * dilation - pad < size.
fn clip(origin: u32, dilation: u32, pad: u32, taps: u32, size: u32) -> vec2<u32> {
    var first = 0u;
    if origin < pad {
        first = (pad - origin + dilation - 1u) / dilation;
    }
    var end = 0u;
    if origin < size + pad {
        end = min(taps, (size + pad - origin + dilation - 1u) / dilation);
    }
    return vec2<u32>(first, end);
}
