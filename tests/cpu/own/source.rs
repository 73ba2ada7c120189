//! What a source declares is read from it.

use longshore::OwnKernel;
use longshore::own::{Kind, Scalar, ShapeOf};

use super::{OUTPUT, SCALE, source};

#[test]
fn entry_workgroup_buffers_and_parameters_are_read() {
    let kernel = OwnKernel::new("scale", SCALE).unwrap();
    let interface = kernel.interface();
    assert_eq!((kernel.name(), kernel.source()), ("scale", SCALE));
    assert_eq!((interface.entry.as_str(), interface.workgroup_size), ("scale", [64, 1, 1]));
    assert_eq!(kernel.inputs().collect::<Vec<_>>(), ["x"]);
    let input = &interface.inputs[0];
    assert_eq!((input.binding, input.lanes, input.length), (1, 1, None));
    let output = &interface.output;
    assert_eq!((output.name.as_str(), output.binding), ("y", 2));
    let params = interface.params.as_ref().unwrap();
    // A vec3 begins at a multiple of 16 bytes, a vec2 of 8, and so does the struct end.
    assert_eq!((params.name.as_str(), params.binding, params.bytes), ("params", 0, 32));
    let fields: Vec<_> = params
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.offset, field.kind.to_string(), field.shape_of))
        .collect();
    let of_x = Some(ShapeOf::Input(0));
    assert_eq!(fields[0], ("gain", 0, "f32".to_owned(), None));
    assert_eq!(fields[1], ("x_shape", 8, "vec2<u32>".to_owned(), of_x));
    assert_eq!(fields[2], ("step", 16, "vec3<i32>".to_owned(), None));
    assert_eq!(fields.len(), 3);
    assert!(!kernel.has_host_twin());
    assert!(kernel.clone().host(|_, _| {}).has_host_twin());
}

#[test]
fn inputs_come_in_the_order_of_their_bindings() {
    let wgsl = source(
        "@group(0) @binding(7) var<storage, read> a: array<vec4<f32>>;
         @group(0) @binding(3) var<storage, read_write> y: array<vec2<f32>>;
         @group(0) @binding(5) var<storage> b: array<f32, 9>;",
        "y[id.x] = a[id.x].xy * b[3];",
    );
    let interface = OwnKernel::new("k", wgsl).unwrap().interface().clone();
    let inputs: Vec<_> = interface
        .inputs
        .iter()
        .map(|input| (input.name.as_str(), input.binding, input.lanes, input.length))
        .collect();
    assert_eq!(inputs, [("b", 5, 1, Some(9)), ("a", 7, 4, None)]);
    assert_eq!((interface.output.lanes, interface.output.binding), (2, 3));
    assert_eq!(interface.params, None);
}

#[test]
fn an_entry_point_has_the_variables_that_it_uses_and_those_that_none_does() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> a: array<f32>;
        @group(0) @binding(0) var<storage, read> a4: array<vec4<f32>>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @group(0) @binding(2) var<storage, read> spare: array<f32>;
        @compute @workgroup_size(8, 8, 2)
        fn one(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = a[id.x]; }
        @compute @workgroup_size(32)
        fn four(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = a4[id.x].w; }
        @fragment fn shade() -> @location(0) vec4<f32> { return vec4<f32>(); }";
    let read = |entry: &str| {
        let kernel = OwnKernel::with_entry("k", wgsl, entry).unwrap();
        let inputs: Vec<String> = kernel.inputs().map(str::to_owned).collect();
        (inputs.join(" "), kernel.interface().workgroup_size, kernel.interface().invocations())
    };
    assert_eq!(read("one"), ("a spare".to_owned(), [8, 8, 2], 128));
    assert_eq!(read("four"), ("a4 spare".to_owned(), [32, 1, 1], 32));
}

#[test]
fn a_kernel_may_have_no_input_and_shared_memory() {
    let shared = "var<workgroup> shared_values: array<f32, 4096>;
                  var<private> mine: array<f32, 2048>;
                  const TABLE = array<f32, 3>(1.0, 2.0, 3.0);";
    let body = "shared_values[id.x] = TABLE[id.x % 3u]; mine[id.y] = 1.0; workgroupBarrier();
                y[id.x] = shared_values[63u - id.x] + mine[0];";
    let kernel = OwnKernel::new("k", source(&format!("{OUTPUT}{shared}"), body)).unwrap();
    assert_eq!(kernel.inputs().count(), 0);
}

#[test]
fn parameters_of_every_type_have_the_offsets_of_wgsl() {
    let members = "a: vec3<f32>, b: u32, c: vec2<i32>, d: i32, y_shape: vec3<u32>, @size(32) e: f32, f: vec4<u32>";
    let params =
        format!("struct P {{ {members} }} @group(0) @binding(1) var<uniform> p: P; {OUTPUT}");
    let kernel = OwnKernel::new("k", source(&params, "y[id.x] = p.a.x;")).unwrap();
    let block = kernel.interface().params.clone().unwrap();
    let offsets: Vec<u32> = block.fields.iter().map(|field| field.offset).collect();
    // Alignments of vec3 and vec4 are 16, of vec2 8, of scalars 4.
    assert_eq!(offsets, [0, 12, 16, 24, 32, 44, 80]);
    assert_eq!(block.bytes, 96);
    assert_eq!(block.fields[4].shape_of, Some(ShapeOf::Output));
    assert_eq!(block.fields[6].kind, Kind { scalar: Scalar::U32, lanes: 4 });
}

#[test]
fn kernels_are_equal_when_source_and_rules_are() {
    let one = OwnKernel::new("scale", SCALE).unwrap();
    assert_eq!(one, OwnKernel::new("scale", SCALE).unwrap());
    assert_ne!(one, OwnKernel::new("other", SCALE).unwrap());
    assert_ne!(one, OwnKernel::new("scale", SCALE.replace("params.gain *", "")).unwrap());
    assert_ne!(one, one.clone().per_item());
    let ruled = one.clone().shape(|inputs| Ok(inputs[0].clone()));
    assert_ne!(one, ruled);
    assert_eq!(ruled, ruled.clone());
    assert_ne!(one, one.clone().threads(|_| [1, 1, 1]));
    assert_ne!(one, one.clone().host(|_, _| {}));
    assert!(format!("{one:?}").starts_with("OwnKernel { name: \"scale\""), "{one:?}");
}
