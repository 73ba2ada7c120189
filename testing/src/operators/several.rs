//! Functions of several operands, and Keras's `PReLU`, as the graph makes them of other nodes.

use longshore::{Graph, HostArray, PRelu};
use ndarray::{ArrayD, IxDyn};

use super::copy::fixed;
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{batched, trials, widen};
use crate::oracle::binary::{Operation, binary};
use crate::oracle::{EPSILON, Expected, SMALLEST};

pub fn sums_means_and_extremes_of_three(on: &dyn Executor) {
    trials(3, |random| {
        let shapes: [&[usize]; 3] = [&[3, 1, 5], &[2, 1], &[5]];
        let arrays = shapes.map(|shape| random.uniform(shape));
        let mut g = Graph::new();
        let names = ["a", "b", "c"];
        let symbols: Vec<_> =
            names.iter().zip(&arrays).map(|(name, array)| g.input(*name, fixed(array))).collect();
        let outputs = [g.sum(&symbols), g.mean(&symbols), g.max(&symbols), g.min(&symbols)];
        for (name, output) in ["sum", "mean", "max", "min"].into_iter().zip(outputs) {
            g.output(name, output.unwrap());
        }
        let inputs: Vec<_> = names.into_iter().zip(&arrays).collect();
        let found = on.run(&g, 1, &inputs);
        let [a, b, c] = &arrays.map(|array| widen(&array));
        let three = |operation| binary(operation, &binary(operation, a, b).value, c).value;
        let magnitudes = |array: &ArrayD<f64>| array.mapv(f64::abs);
        let sizes = binary(Operation::Add, &magnitudes(a), &magnitudes(b)).value;
        let sizes = binary(Operation::Add, &sizes, &magnitudes(c)).value;
        let bound = sizes.mapv(|size| 4.0 * EPSILON * size + SMALLEST);
        let sum = Expected { value: three(Operation::Add), bound };
        let mean = Expected { value: &sum.value / 3.0, bound: &sum.bound / 2.0 };
        assert_close("sum", &found["sum"], &sum);
        assert_close("mean", &found["mean"], &mean);
        assert_close("max", &found["max"], &Expected::exact(three(Operation::Maximum)));
        assert_close("min", &found["min"], &Expected::exact(three(Operation::Minimum)));
    });
}

pub fn slopes_are_shared_along_axes(on: &dyn Executor) {
    trials(4, |random| {
        let x = random.uniform(&[2, 3, 5, 4]);
        for (shared, shape) in [
            (vec![], [3, 5, 4]),
            (vec![1, 2], [1, 1, 4]),
            (vec![3], [3, 5, 1]),
            (vec![2], [3, 1, 4]),
        ] {
            let alpha = random.uniform(&shape);
            let mut g = Graph::new();
            let input = g.input("x", batched(x.shape()));
            let layer = PRelu::new().shared_axes(shared);
            let y = g.p_relu(input, layer, HostArray::from(alpha.clone())).unwrap();
            g.output("y", y);
            let actual = on.run(&g, 2, &[("x", &x)]).remove("y").unwrap();
            let mut value = widen(&x);
            for (index, value) in value.indexed_iter_mut() {
                let at: Vec<usize> = (0..3).map(|axis| index[axis + 1] % shape[axis]).collect();
                *value *= if *value < 0.0 { f64::from(alpha[IxDyn(&at)]) } else { 1.0 };
            }
            let bound = value.mapv(|value| EPSILON * value.abs() + SMALLEST);
            assert_close("p_relu", &actual, &Expected { value, bound });
        }
    });
}
