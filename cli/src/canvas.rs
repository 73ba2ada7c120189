//! A picture in memory: rectangles and text, written as PNG.

use std::path::Path;

use anyhow::{Context, Result};
use longshore::file::NewFile;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// Red, green, blue.
pub type Color = [u8; 3];

/// How text looks.
#[derive(Clone, Copy)]
pub struct Style {
    pub color: Color,
    pub weight: FontWeight,
    pub height: RasterHeight,
}

/// An RGB picture.
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Color>,
}

impl Canvas {
    /// Makes a picture of one color.
    pub fn new(width: usize, height: usize, color: Color) -> Self {
        Canvas { width, height, pixels: vec![color; width * height] }
    }

    /// Returns width and height, in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Fills a rectangle; what lies outside of the picture is left out.
    pub fn fill(&mut self, [x, y]: [usize; 2], [width, height]: [usize; 2], color: Color) {
        let right = x.saturating_add(width).min(self.width);
        let bottom = y.saturating_add(height).min(self.height);
        for row in y..bottom {
            for column in x..right {
                self.pixels[row * self.width + column] = color;
            }
        }
    }

    /// Writes text, its upper left corner at `at`, and returns where the next one begins.
    pub fn text(&mut self, [x, y]: [usize; 2], text: &str, style: Style) -> usize {
        let advance = get_raster_width(style.weight, style.height);
        let mut left = x;
        for character in text.chars() {
            let known = get_raster(character, style.weight, style.height);
            // Adapters' names come from drivers: what the font lacks is shown as such.
            if let Some(glyph) = known.or_else(|| get_raster('?', style.weight, style.height)) {
                for (row, line) in glyph.rows().enumerate() {
                    for (column, &cover) in line.iter().enumerate() {
                        self.blend(left + column, y + row, style.color, cover);
                    }
                }
            }
            left += advance;
        }
        left
    }

    fn blend(&mut self, x: usize, y: usize, color: Color, cover: u8) {
        if x < self.width && y < self.height {
            let pixel = &mut self.pixels[y * self.width + x];
            *pixel = mix(*pixel, color, cover);
        }
    }

    /// Writes the picture as PNG.
    pub fn write_png(&self, path: &Path) -> Result<()> {
        let failed = || format!("{}: cannot write the picture", path.display());
        let (width, height) = (u32::try_from(self.width)?, u32::try_from(self.height)?);
        let mut file = NewFile::create(path).with_context(failed)?;
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().with_context(failed)?;
        writer.write_image_data(self.pixels.as_flattened()).with_context(failed)?;
        writer.finish().with_context(failed)?;
        file.commit().with_context(failed)
    }
}

/// Mixes two colors; a share of 255 gives the second one.
pub fn mix(from: Color, to: Color, share: u8) -> Color {
    let share = u32::from(share);
    let channel = |index: usize| {
        let sum = u32::from(from[index]) * (255 - share) + u32::from(to[index]) * share;
        u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
    };
    [channel(0), channel(1), channel(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_ends_at_both_colors() {
        assert_eq!(mix([10, 20, 30], [200, 100, 0], 0), [10, 20, 30]);
        assert_eq!(mix([10, 20, 30], [200, 100, 0], 255), [200, 100, 0]);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut canvas = Canvas::new(3, 2, [0; 3]);
        canvas.fill([2, 1], [5, 5], [9; 3]);
        let style =
            Style { color: [255; 3], weight: FontWeight::Regular, height: RasterHeight::Size16 };
        canvas.text([100, 100], "\u{2603} beyond", style);
        assert_eq!(canvas.pixels, [[0; 3], [0; 3], [0; 3], [0; 3], [0; 3], [9; 3]]);
    }
}
