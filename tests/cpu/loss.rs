//! Adopted devices that go away, on wgpu's device without hardware: it computes nothing, and loses
//! itself as others do.

use std::time::{Duration, Instant};

use longshore::wgpu;

use longshore_testing::loss::{Adopted, CALLS, adopt, is_lost, race, watched};
use longshore_testing::random::Random;

fn adopted() -> Adopted {
    adopt(wgpu::Device::noop(&wgpu::DeviceDescriptor::default()), false)
}

#[test]
fn every_call_after_the_loss_says_so_within_a_second() {
    watched("a call on a lost device", || {
        let adopted = adopted();
        let set = adopted.set();
        for number in 0..CALLS {
            set.call(number).unwrap();
        }
        adopted.device.destroy();
        for number in 0..2 * CALLS {
            let started = Instant::now();
            is_lost(number, set.call(number));
            assert!(started.elapsed() < Duration::from_secs(1), "call {number}");
        }
        adopted.assert_quiet();
    });
}

#[test]
fn two_hundred_devices_are_lost_at_random_moments() {
    watched("a race with the loss of a device", || {
        let mut random = Random::new(54);
        for _ in 0..200 {
            race(&adopted(), &mut random);
        }
    });
}
