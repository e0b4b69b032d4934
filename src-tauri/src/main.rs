//! The program.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(deskhand_shell::run()?)
}
