//! Mutation of WGSL by its words: left out, doubled, exchanged, replaced by others of the language.

use crate::dice::Dice;

/// What sources seldom have, and what stands at the ends of ranges.
const WORDS: &str = "0|1|-1|0u|1u|65535u|65536u|2147483647|4294967295u|0x7fffffff|1e38|1e39|0.0|\
    -0.0|1f|1h|true|false|f32|i32|u32|bool|f16|vec2<f32>|vec3<u32>|vec4<f32>|mat4x4<f32>|\
    array<f32>|array<f32, 0>|array<f32, 70000>|atomic<u32>|ptr<function, f32>|var|\
    var<workgroup>|var<private>|var<storage, read_write>|let|const|override|fn|struct|alias|if|\
    else|for|while|loop|switch|break|continue|continuing|break if|return|discard|@size(16)|\
    @align(3)|@workgroup_size(257)|@workgroup_size(0)|@id(1)|workgroupBarrier()|arrayLength|\
    bitcast<f32>|enable f16;|_";

/// Changes a source; none where it is no text, or the result would be longer than `most`.
pub fn mutate(data: &[u8], seed: u32, most: usize) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(data).ok()?;
    let words: Vec<&str> = WORDS.split('|').collect();
    let mut tokens: Vec<&str> = split(text);
    let mut dice = Dice::new(seed);
    let number = dice.number().to_string();
    for _ in 0..=dice.below(4) {
        let (one, other) = (dice.below(tokens.len()), dice.below(tokens.len()));
        let token = *tokens.get(one)?;
        match dice.below(8) {
            0 => drop(tokens.remove(one)),
            1 => tokens.swap(one, other),
            2 => tokens.insert(other, token),
            3 => tokens[other] = token,
            4 => tokens.insert(one, dice.pick(&words)?),
            5 => repeat(&mut tokens, one.min(other), one.max(other)),
            6 => drop(tokens.drain(one.min(other)..one.max(other).min(one.min(other) + 16))),
            _ if dice.below(4) == 0 => tokens[one] = &number,
            _ => tokens[one] = dice.pick(&words)?,
        }
    }
    let bytes: Vec<u8> = tokens.concat().into_bytes();
    (bytes.len() <= most).then_some(bytes)
}

/// Doubles a run of tokens.
fn repeat(tokens: &mut Vec<&str>, from: usize, to: usize) {
    let run = tokens[from..to.min(from + 64)].to_vec();
    tokens.splice(from..from, run);
}

/// Words, spaces and every other character on its own.
fn split(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let kind = |c: char| if is_word(c) { 0 } else { 1 + u8::from(!c.is_whitespace()) };
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        if last.is_some_and(|last| last != kind(c) || last == 2) {
            tokens.push(&text[start..at]);
            start = at;
        }
        last = Some(kind(c));
    }
    tokens.push(&text[start..]);
    tokens
}
