//! Makes a `#[test]` of each listed test in the target that has an executor. The bodies are compiled
//! once, in this crate.

use crate::executor::Executor;
use crate::{operators, session, tests_of_executors};

/// Declares a `#[test]` for each test that every executor has, under the name of its module.
#[macro_export]
macro_rules! run_tests_on {
    ($executor:expr) => {
        $crate::tests_of_executors! { declare_tests $executor }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! declare_tests {
    (
        ($executor:expr)
        session { $($session:ident)* }
        operators { $($module:ident { $($name:ident)* })* }
    ) => {
        mod session {
            $(#[test]
            fn $session() {
                $crate::run_test(concat!("session::", stringify!($session)), &$executor);
            })*
        }

        mod operators {
            $(mod $module {
                $(#[test]
                fn $name() {
                    let name = concat!(stringify!($module), "::", stringify!($name));
                    $crate::run_test(name, &$executor);
                })*
            })*
        }
    };
}

/// Makes the list a table of functions.
#[doc(hidden)]
#[macro_export]
macro_rules! table_of_tests {
    (
        ()
        session { $($session:ident)* }
        operators { $($module:ident { $($name:ident)* })* }
    ) => {
        const TABLE: &[(&str, fn(&dyn Executor))] = &[
            $((concat!("session::", stringify!($session)), session::$session),)*
            $($((
                concat!(stringify!($module), "::", stringify!($name)),
                operators::$module::$name,
            ),)*)*
        ];
    };
}

tests_of_executors! { table_of_tests }

/// Runs a test of the list on an executor.
pub fn run_test(name: &str, on: &dyn Executor) {
    let found = TABLE.iter().find(|(listed, _)| *listed == name);
    let (_, test) = found.expect("the target's tests come from the same list");
    test(on);
}
