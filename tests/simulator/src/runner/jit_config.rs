//! JIT configurations: the files of an identity, handed over as one text.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::files;
use super::host::Host;

/// Writes the files of an encoded configuration into the runner's root.
///
/// The real runner writes whatever the configuration names; here a name with a slash in it is refused.
pub(crate) fn save(host: &Host, encoded: &str) -> Result<(), String> {
    let decode = |text: &str| STANDARD.decode(text.trim()).map_err(|error| error.to_string());
    let names: BTreeMap<String, String> =
        serde_json::from_slice(&decode(encoded)?).map_err(|error| error.to_string())?;
    for (name, content) in names {
        if name.contains('/') {
            return Err(format!("The file name '{name}' is not valid."));
        }
        let content = decode(&content)?;
        files::save_as_is(&host.root, &name, &content).map_err(|error| format!("{name}: {error}"))?;
        let text = format!("Saved {} bytes to '{name}'.", content.len());
        host.console.diagnostics.note("Runner", &text);
    }
    Ok(())
}
