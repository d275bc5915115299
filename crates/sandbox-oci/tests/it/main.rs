//! x
use atoll_sandbox::Backend as _;
#[test]
fn x() {
    for (name, level) in [("runsc", atoll_types::Level::Gvisor), ("crun", atoll_types::Level::Process), ("runc", atoll_types::Level::Process)] {
    let backend = atoll_sandbox_oci::OciBackend::configured(name, level);
    let now = std::time::Instant::now();
    for layer in backend.probe() { if layer.state == atoll_types::LayerState::Missing || name == "runsc" {
    println!("{layer:?}"); } }
    println!("{name} {:?}", now.elapsed());
    }
}
