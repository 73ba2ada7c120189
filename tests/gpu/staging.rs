//! Staging: what arrives is what was packed, and what fails leaves nothing behind.

use longshore::array::StagePolicy;
use longshore::ledger::{Direction, Method};
use longshore::{Error, HostArray, LayerWeights, Weights};
use ndarray::{ArrayD, Axis, IxDyn, ShapeBuilder as _};

use longshore_testing::executor::gpu::{open, runtime};
use longshore_testing::executor::stage;
use longshore_testing::random::Random;

/// Sizes around the alignment of mapped ranges, of vectors and of packing's parts.
const COUNTS: [usize; 9] = [1, 2, 3, 5, 63, 64, 65, (1 << 17) + 1, (1 << 20) + 3];

#[test]
fn every_size_arrives_bit_for_bit() {
    let mut random = Random::new(11);
    for count in COUNTS {
        let array = random.uniform(&[count]);
        assert_eq!(stage(runtime(), "array", &array).read().unwrap(), array, "{count} elements");
    }
}

#[test]
fn arrays_split_between_threads_at_odd_places_arrive_whole() {
    // Rows of odd lengths put the borders between threads off the mapping's alignment.
    let mut random = Random::new(12);
    let wide = random.uniform(&[5, 211, 1111]).mapv(f64::from);
    let mut flipped = wide.view();
    flipped.invert_axis(Axis(1));
    let fortran = ArrayD::from_shape_vec(IxDyn(&[1111, 1055]).f(), wide.iter().copied().collect());
    let fortran = fortran.unwrap();
    let transposed = wide.t();
    for (name, view) in [("flipped", flipped), ("fortran", fortran.view()), ("t", transposed)] {
        let expected = view.mapv(|value| value as f32);
        let tensor = runtime().stage(name, &HostArray::from_view(&view)).unwrap();
        assert_eq!(tensor.read().unwrap(), expected, "{name}");
    }
}

#[test]
fn empty_and_0d_arrays_cross_too() {
    let rt = open();
    let empty = stage(&rt, "empty", &ArrayD::zeros(IxDyn(&[0, 3])));
    assert_eq!(empty.read().unwrap().shape(), [0, 3]);
    let scalar = stage(&rt, "scalar", &ArrayD::from_elem(IxDyn(&[]), 7.5));
    assert_eq!(scalar.read().unwrap(), ArrayD::from_elem(IxDyn(&[]), 7.5));
    let events = rt.ledger().events();
    let uploads: Vec<_> =
        events.iter().filter(|event| event.direction == Direction::HostToDevice).collect();
    let sizes: Vec<_> = uploads.iter().map(|e| (e.payload_bytes, e.padding_bytes)).collect();
    assert_eq!(sizes, [(0, 16), (4, 12)]);
}

#[test]
fn a_refused_array_leaves_no_event_and_spoils_no_later_upload() {
    let rt = open();
    let mut bad = Random::new(13).uniform(&[1000]);
    bad[[123]] = f32::NAN;
    let error = rt.stage("bad", &HostArray::from_view(&bad)).unwrap_err();
    assert!(matches!(error, Error::NonFinite { nan_count: 1, .. }), "{error}");
    assert!(rt.ledger().events().is_empty());
    let good = Random::new(14).uniform(&[900]);
    assert_eq!(stage(&rt, "good", &good).read().unwrap(), good);
    let allowed = StagePolicy::default().replace_non_finite(-1.0);
    let (tensor, report) = rt.stage_with("bad", &HostArray::from_view(&bad), allowed).unwrap();
    assert_eq!(report.replaced_count, 1);
    assert_eq!(tensor.read().unwrap()[[123]], -1.0);
}

#[test]
fn upload_buffers_are_reused() {
    let rt = open();
    let array = Random::new(15).uniform(&[5000]);
    for _ in 0..3 {
        stage(&rt, "array", &array);
        rt.wait().unwrap();
    }
    // One staging buffer and three tensors.
    assert_eq!(rt.buffers_created(), 4);
    // A reused buffer must not leak the longer array's bytes into the padding.
    let short = stage(&rt, "short", &Random::new(16).uniform(&[1]));
    let (buffer, _, _) = short.to_wgpu().unwrap();
    let whole = rt.wrap("whole", buffer, 0, &[4]).unwrap().read().unwrap();
    assert_eq!(whole.as_slice().unwrap()[1..], [0.0; 3]);
}

#[test]
fn a_weight_set_is_one_crossing() {
    let rt = open();
    let mut random = Random::new(17);
    let (kernel, bias, dense) =
        (random.uniform(&[3, 3, 2, 5]), random.uniform(&[5]), random.uniform(&[7, 3]));
    let host = |array: &ArrayD<f32>| HostArray::from(array.clone());
    let weights = Weights::new()
        .with("conv", LayerWeights::new(host(&kernel)).bias(host(&bias)))
        .with("dense", LayerWeights::new(host(&dense)));
    rt.stage_weights("set", &weights).unwrap();
    let events = rt.ledger().events();
    let crossings: Vec<_> =
        events.iter().filter(|event| event.direction == Direction::HostToDevice).collect();
    assert_eq!(crossings.len(), 1);
    assert_eq!(crossings[0].label, "set");
    assert_eq!(crossings[0].method, Method::MappedUpload);
    assert_eq!(crossings[0].payload_bytes, 4 * (90 + 5 + 21));
}

#[test]
fn an_array_larger_than_the_device_is_refused_before_anything_moves() {
    let rt = open();
    let one = ArrayD::from_elem(IxDyn(&[1]), 1.0_f32);
    let length = usize::try_from(rt.limits().max_buffer_size / 4 + 1).unwrap();
    // A zero stride: as long as can be, and four bytes of memory.
    let Some(long) = one.broadcast(IxDyn(&[length])) else { panic!("broadcasts") };
    let error = rt.stage("long", &HostArray::from_view(&long)).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");
    assert!(error.to_string().contains("stage it in parts"), "{error}");
    assert!(rt.ledger().events().is_empty());
}
