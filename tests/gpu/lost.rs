//! An adopted device that goes away: an error within a second, whatever is being done, and no panic.

use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use longshore::Runtime;
use longshore::wgpu;

use longshore_testing::executor::gpu::{adapter, device, open};
use longshore_testing::executor::stage;
use longshore_testing::loss::{
    Adopted, CALLS, Set, adopt, destroy_and_call, is_lost, two_hundred_races,
};
use longshore_testing::random::Random;
use longshore_testing::watch::watched;

/// A device of the adapter under test, adopted.
fn adopted() -> Adopted {
    static ADAPTER: OnceLock<wgpu::Adapter> = OnceLock::new();
    adopt(device(ADAPTER.get_or_init(adapter)), true)
}

#[test]
fn every_call_after_the_loss_of_an_adopted_device_says_so_within_a_second() {
    watched("a call on a lost device", || {
        let adopted = adopted();
        let set = adopted.set();
        destroy_and_call(&adopted, &set);
        let buffer = set.x.to_wgpu().unwrap().0;
        is_lost(CALLS, adopted.runtime.wrap("x", buffer, 0, &[9, 6]).map(drop));
        adopted.assert_quiet();
    });
}

#[test]
fn a_runtime_that_adopts_a_lost_device_says_so() {
    watched("a runtime on a lost device", || {
        let (device, queue) = device(&adapter());
        device.destroy();
        let rt = Runtime::from_wgpu(device, queue);
        is_lost(0, rt.wait());
        is_lost(1, rt.stage("x", ndarray::arr1(&[1.0_f32])).map(drop));
        is_lost(2, pollster::block_on(rt.wait_async()));
    });
}

#[test]
fn futures_that_were_begun_before_the_loss_end() {
    watched("a future on a lost device", || {
        for polls in 0..3 {
            let adopted = adopted();
            // Nothing has been read yet, so no readback buffer is there.
            let array = Random::new(52).uniform(&[1 << 16]);
            let x = stage(&adopted.runtime, "x", &array);
            let mut read = Box::pin(x.read_async());
            let mut wait = Box::pin(adopted.runtime.wait_async());
            let mut context = Context::from_waker(Waker::noop());
            let mut done = None;
            for _ in 0..polls {
                let _ = wait.as_mut().poll(&mut context);
                if let Poll::Ready(values) = read.as_mut().poll(&mut context) {
                    done = Some(values);
                    break;
                }
            }
            adopted.device.destroy();
            match done.unwrap_or_else(|| pollster::block_on(read)) {
                Ok(values) => assert_eq!(values, array),
                Err(error) => is_lost(polls, Err(error)),
            }
            is_lost(polls, pollster::block_on(adopted.runtime.wait_async()));
            adopted.assert_quiet();
        }
    });
}

#[test]
fn a_callback_of_the_embedders_on_longshores_own_device_hides_no_loss() {
    watched("a device with another callback", || {
        let rt = open();
        let set = Set::new(&rt, true);
        rt.device().unwrap().set_device_lost_callback(|_, _| {});
        rt.device().unwrap().destroy();
        for number in 0..CALLS {
            is_lost(number, set.call(number));
        }
    });
}

#[test]
fn two_hundred_devices_are_lost_at_random_moments() {
    two_hundred_races(53, adopted);
}
