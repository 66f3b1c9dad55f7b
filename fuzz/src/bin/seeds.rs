//! Writes the seeds into folders for libFuzzer: `seeds FOLDER` makes `FOLDER/token`, `FOLDER/jwk`,
//! `FOLDER/jwk_set` and `FOLDER/pem`, a file for each.

use std::path::Path;

use yett_fuzz::seeds;

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "corpus".into());
    for (target, inputs) in [
        ("token", seeds::token()),
        ("jwk", seeds::jwk()),
        ("jwk_set", seeds::jwk_set()),
        ("pem", seeds::pem()),
    ] {
        let folder = Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder)?;
        for (nth, input) in inputs.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{nth}")), input)?;
        }
    }
    Ok(())
}
