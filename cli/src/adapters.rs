//! `longshore adapters`: what this machine has to compute on.

use std::fmt::Write;

use anyhow::Result;
use longshore::AdapterInfo;
use serde_json::{Value, json};

/// Options of `longshore adapters`.
#[derive(clap::Args)]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lists the adapters and the host, the one that `--adapter auto` takes first.
pub fn run(options: &Options) -> Result<()> {
    let found = longshore::adapters();
    if options.json {
        let list: Vec<Value> = found.iter().map(to_json).collect();
        return crate::print_json(&format!("{:#}\n", Value::from(list)));
    }
    crate::print(&to_text(&found)?)
}

fn to_text(found: &[AdapterInfo]) -> Result<String> {
    let mut text = String::new();
    for (number, AdapterInfo { summary, limits }) in found.iter().enumerate() {
        let mark = if number == 0 { "  <- --adapter auto" } else { "" };
        writeln!(text, "{}{mark}", summary.name)?;
        writeln!(text, "  {:<20} {}", "backend", summary.backend)?;
        writeln!(text, "  {:<20} {}", "type", summary.device_type)?;
        if !summary.driver.is_empty() {
            writeln!(text, "  {:<20} {} {}", "driver", summary.driver, summary.driver_info)?;
        }
        let binding = limits.max_storage_buffer_binding_size;
        writeln!(text, "  {:<20} {}", "largest binding", size(binding))?;
        let buffer = match limits.max_buffer_size {
            u64::MAX => "what memory holds".to_owned(),
            bytes => size(bytes),
        };
        writeln!(text, "  {:<20} {buffer}", "largest buffer")?;
        writeln!(
            text,
            "  {:<20} {} in each dimension",
            "largest dispatch", limits.max_compute_workgroups_per_dimension
        )?;
        if let Some(iterations) = limits.max_loop_iterations {
            writeln!(text, "  {:<20} {iterations} iterations of a thread", "longest loops")?;
        }
        writeln!(
            text,
            "  {:<20} storage {} B, uniform {} B",
            "offset alignment",
            limits.min_storage_buffer_offset_alignment,
            limits.min_uniform_buffer_offset_alignment
        )?;
    }
    Ok(text)
}

/// Writes a limit in its largest whole unit, so that nothing is rounded.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

fn to_json(AdapterInfo { summary, limits }: &AdapterInfo) -> Value {
    json!({
        "name": summary.name,
        "backend": summary.backend,
        "device_type": summary.device_type,
        "driver": summary.driver,
        "driver_info": summary.driver_info,
        "limits": {
            "max_storage_buffer_binding_size": limits.max_storage_buffer_binding_size,
            "max_buffer_size": limits.max_buffer_size,
            "min_storage_buffer_offset_alignment": limits.min_storage_buffer_offset_alignment,
            "min_uniform_buffer_offset_alignment": limits.min_uniform_buffer_offset_alignment,
            "max_compute_workgroups_per_dimension": limits.max_compute_workgroups_per_dimension,
            "max_loop_iterations": limits.max_loop_iterations,
        },
    })
}
