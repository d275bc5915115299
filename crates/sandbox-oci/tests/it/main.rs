//! x
#[tokio::test]
async fn x() {
    let now = std::time::Instant::now();
    println!("{:?}", atoll_sandbox_oci::x::probe().await);
    println!("{:?}", now.elapsed());
}
