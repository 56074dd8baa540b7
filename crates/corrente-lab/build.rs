//! Tells cargo that the crate embeds the lab's data files.

fn main() {
    // The scenarios are embedded; cargo does not see through `include_dir!` by itself.
    println!("cargo::rerun-if-changed=../../lab");
}
