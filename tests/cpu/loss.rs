//! Adopted devices that go away, on wgpu's device without hardware: it computes nothing, and loses
//! itself as others do.

use longshore::wgpu;

use longshore_testing::loss::{Adopted, adopt, destroy_and_call, two_hundred_races};
use longshore_testing::watch::watched;

fn adopted() -> Adopted {
    adopt(wgpu::Device::noop(&wgpu::DeviceDescriptor::default()), false)
}

#[test]
fn every_call_after_the_loss_says_so_within_a_second() {
    watched("a call on a lost device", || {
        let adopted = adopted();
        destroy_and_call(&adopted, &adopted.set());
    });
}

#[test]
fn two_hundred_devices_are_lost_at_random_moments() {
    two_hundred_races(54, adopted);
}
