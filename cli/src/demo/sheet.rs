//! A contact sheet: digits, what the network says, and how sure it is.

use longshore::ledger::AdapterSummary;
use ndarray::s;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster_width};

use super::data::Digits;
use super::score::{Answer, Score};
use crate::canvas::{Canvas, Color, Style, mix};

const COLUMNS: usize = 8;
/// Tiles on a sheet, unless more answers than that are wrong.
const TILES: usize = 48;
/// Side of an image, and of one of its pixels on the sheet.
const SIDE: usize = 8;
const PIXEL: usize = 12;
const IMAGE: usize = SIDE * PIXEL;
const GAP: usize = 18;
const MARGIN: usize = 28;
const FRAME: usize = 4;
const BAR: usize = 4;
/// Image, bar and label, with what stands between them.
const TILE_HEIGHT: usize = IMAGE + 10 + BAR + 6 + 16;
const HEADER: usize = 96;

const PAPER: Color = [16, 20, 27];
const INK: Color = [24, 31, 42];
const CHALK: Color = [246, 240, 226];
const BRIGHT: Color = [240, 243, 248];
const DIM: Color = [139, 152, 170];
const RIGHT: Color = [72, 187, 165];
const WRONG: Color = [242, 92, 84];
const TRACK: Color = [38, 46, 60];

/// Draws the sheet.
pub fn draw(digits: &Digits, score: &Score, adapter: &AdapterSummary) -> Canvas {
    let chosen = choose(&score.answers);
    let rows = chosen.len().div_ceil(COLUMNS);
    let width = 2 * MARGIN + COLUMNS * IMAGE + (COLUMNS - 1) * GAP;
    let height = HEADER + rows * (TILE_HEIGHT + GAP) + MARGIN - GAP;
    let mut canvas = Canvas::new(width, height, PAPER);
    draw_header(&mut canvas, score, chosen.len(), adapter);
    for (number, answer) in chosen.iter().enumerate() {
        let x = MARGIN + number % COLUMNS * (IMAGE + GAP);
        let y = HEADER + number / COLUMNS * (TILE_HEIGHT + GAP);
        draw_tile(&mut canvas, [x, y], digits, *answer);
    }
    canvas
}

/// Takes all wrong answers, and right ones from all over the set, in the set's order.
fn choose(answers: &[Answer]) -> Vec<Answer> {
    let (right, wrong): (Vec<Answer>, Vec<Answer>) =
        answers.iter().partition(|answer| answer.is_right());
    let wanted = TILES.saturating_sub(wrong.len()).min(right.len());
    let spread = (0..wanted).map(|number| right[number * right.len() / wanted]);
    let mut chosen: Vec<Answer> = spread.chain(wrong).collect();
    chosen.sort_unstable_by_key(|answer| answer.image);
    chosen
}

fn draw_header(canvas: &mut Canvas, score: &Score, shown: usize, adapter: &AdapterSummary) {
    let title = Style { color: BRIGHT, weight: FontWeight::Bold, height: RasterHeight::Size24 };
    let plain = Style { color: DIM, weight: FontWeight::Regular, height: RasterHeight::Size16 };
    let count = score.answers.len();
    let (right, wrong) = (score.right(), count - score.right());
    let headline = format!("{right} of {count} unseen digits recognized");
    let end = canvas.text([MARGIN, 22], &headline, title);
    let share = format!("  {:.2} %", score.accuracy() * 100.0);
    canvas.text([end, 22], &share, Style { color: RIGHT, ..title });
    let among = match wrong {
        0 => "none is wrong".to_owned(),
        1 => "the wrong one among them".to_owned(),
        _ => format!("all {wrong} wrong ones among them"),
    };
    let caption = format!(
        "longshore demo \u{b7} {shown} shown, {among} \u{b7} {} ({})",
        adapter.name, adapter.backend
    );
    // A driver may give its adapter a name of any length.
    let advance = get_raster_width(plain.weight, plain.height);
    let room = (canvas.size().0 - 2 * MARGIN) / advance;
    let caption: String = caption.chars().take(room).collect();
    canvas.text([MARGIN, 56], &caption, plain);
}

fn draw_tile(canvas: &mut Canvas, [x, y]: [usize; 2], digits: &Digits, answer: Answer) {
    let color = if answer.is_right() { RIGHT } else { WRONG };
    if !answer.is_right() {
        let side = IMAGE + 2 * FRAME;
        canvas.fill([x - FRAME, y - FRAME], [side, side], WRONG);
    }
    let image = digits.images.slice(s![answer.image, .., .., 0]);
    for ((row, column), &value) in image.indexed_iter() {
        let gray = mix(INK, CHALK, share(value));
        canvas.fill([x + column * PIXEL, y + row * PIXEL], [PIXEL, PIXEL], gray);
    }
    let bar = y + IMAGE + 10;
    let sure = usize::from(share(f64::from(answer.confidence))) * IMAGE / 255;
    canvas.fill([x, bar], [IMAGE, BAR], TRACK);
    canvas.fill([x, bar], [sure, BAR], color);

    let bold = Style { color: BRIGHT, weight: FontWeight::Bold, height: RasterHeight::Size16 };
    let plain = Style { color: DIM, weight: FontWeight::Regular, height: RasterHeight::Size16 };
    let label = bar + BAR + 6;
    let bold = if answer.is_right() { bold } else { Style { color: WRONG, ..bold } };
    let end = canvas.text([x, label], &answer.predicted.to_string(), bold);
    let percent = format!(" {:.1}%", answer.confidence * 100.0);
    let end = canvas.text([end, label], &percent, plain);
    if !answer.is_right() {
        canvas.text([end, label], &format!(" is {}", answer.label), bold);
    }
}

/// Converts 0..1 to 0..255.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of u8 before; NaN becomes 0"
)]
fn share(value: f64) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(count: usize, wrong: &[usize]) -> Vec<Answer> {
        let answer = |image| Answer {
            image,
            label: 1,
            predicted: if wrong.contains(&image) { 7 } else { 1 },
            confidence: 0.5,
        };
        (0..count).map(answer).collect()
    }

    #[test]
    fn every_wrong_answer_is_shown_however_many_there_are() {
        let images = |chosen: Vec<Answer>| chosen.iter().map(|a| a.image).collect::<Vec<_>>();
        let few = images(choose(&answers(359, &[3, 200])));
        assert_eq!(few.len(), TILES);
        assert!(few.is_sorted_by(|a, b| a < b) && few.contains(&3) && few.contains(&200));
        assert_eq!(images(choose(&answers(100, &(0..100).collect::<Vec<_>>()))).len(), 100);
        assert_eq!(images(choose(&answers(5, &[]))), [0, 1, 2, 3, 4]);
        assert!(choose(&[]).is_empty());
    }
}
