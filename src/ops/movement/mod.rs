//! Operators that only move elements.

pub mod concat;
pub mod copy;
pub mod depth_to_space;
pub mod expand;
pub mod gather;
pub mod pad;
pub mod reshape;
pub mod slice;
pub mod tile;
pub mod transpose;
pub mod view;
