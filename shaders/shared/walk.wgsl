// Where the rows of a reduction lie in an input of which some axes are kept and some are reduced.
//
// Neighbouring axes of one kind arrive as one, so there are at most 3 runs of each; missing ones
// have length 1. Of `params` it takes kept1, kept2 (lengths), kept_stride0 ..2, run1, run2
// (lengths of reduced runs), run_stride (of the last run), run_carry1, run_carry0 (what is added
// when the last run, and the last two, are through).

// Where a place on a row stands: in the input, and on the last two runs.
struct Place {
    at: u32,
    i1: u32,
    i2: u32,
}

// The first element of a row, counted over the kept axes.
fn row_start(row: u32) -> u32 {
    let rest = row / params.kept2;
    let k0 = rest / params.kept1;
    let k1 = rest - k0 * params.kept1;
    let k2 = row - rest * params.kept2;
    return k0 * params.kept_stride0 + k1 * params.kept_stride1 + k2 * params.kept_stride2;
}

// The next element of the row.
fn advance(place: Place) -> Place {
    var next = Place(place.at + params.run_stride, place.i1, place.i2 + 1u);
    if next.i2 == params.run2 {
        next.i2 = 0u;
        next.i1 += 1u;
        next.at += params.run_carry1;
        if next.i1 == params.run1 {
            next.i1 = 0u;
            next.at += params.run_carry0;
        }
    }
    return next;
}
