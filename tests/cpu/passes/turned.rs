//! Products of turned values.

use longshore::internals::kernels::Work;
use longshore::passes::move_transposes;
use longshore::{Graph, MatMul, Passes, PlanOptions};

use super::leaves;
use crate::graph::batch_of;

/// A product of inputs of which some are transposed before: the transposes that are left, and how
/// far the kernel walks from row to row and along a row of either side.
fn product(turned: [bool; 2], flags: [bool; 2]) -> (usize, [[usize; 2]; 2]) {
    let mut g = Graph::new();
    let mut side = |name: &str, turned: bool, shape: [usize; 2]| {
        let [rows, columns] = shape;
        if turned {
            let x = g.input(name, batch_of(&[columns, rows]));
            g.transpose(x, &[0, 2, 1]).unwrap()
        } else {
            g.input(name, batch_of(&shape))
        }
    };
    let shape = |flag: bool, [one, two]: [usize; 2]| if flag { [two, one] } else { [one, two] };
    let left = side("left", turned[0], shape(flags[0], [5, 4]));
    let right = side("right", turned[1], shape(flags[1], [4, 8]));
    let option = MatMul::new().transpose_left(flags[0]).transpose_right(flags[1]);
    let y = g.matmul_with(left, right, option).unwrap();
    g.output("y", y);
    let only = Passes::none().with("move_transposes").unwrap();
    let plan = g.plan_with(2, PlanOptions::new().passes(only)).unwrap();
    let (last, before) = plan.steps().split_last().unwrap();
    let Work::MatMul(geometry) = &last.work else { panic!("{plan}") };
    (before.len(), [geometry.left, geometry.right])
}

#[test]
fn a_product_reads_a_turned_operand_as_it_lies() {
    let (plain, turned) = ([[4, 1], [8, 1]], [[1, 5], [1, 4]]);
    assert_eq!(product([false, false], [false, false]), (0, plain));
    // What lies turned is walked so, whichever way it was told to be turned.
    for flag in [false, true] {
        let left = if flag { plain } else { [turned[0], plain[1]] };
        assert_eq!(product([true, false], [flag, false]), (0, left));
        let right = if flag { plain } else { [plain[0], turned[1]] };
        assert_eq!(product([false, true], [false, flag]), (0, right));
    }
    assert_eq!(product([true, true], [true, true]), (0, plain));
    assert_eq!(product([true, true], [true, false]), (0, [plain[0], turned[1]]));
    assert_eq!(product([true, true], [false, true]), (0, [turned[0], plain[1]]));
    // Not two at once, where the kernel would read one number at a time.
    assert_eq!(product([true, true], [false, false]), (1, [plain[0], turned[1]]));
    assert_eq!(product([true, false], [false, true]), (1, [plain[0], turned[1]]));
    assert_eq!(product([false, true], [true, false]), (1, [turned[0], plain[1]]));
    // An exchange of other axes is none of the matrices'.
    let mut g = Graph::new();
    let x = g.input("x", [3, 3, 3]);
    let y = g.transpose(x, &[1, 0, 2]).unwrap();
    let y = g.matmul(y, x).unwrap();
    g.output("y", y);
    leaves(move_transposes, &g);
}
