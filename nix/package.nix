# runnerctl, its manual page, shell completions and the commented example of the config.
{
  lib,
  stdenv,
  rustPlatform,
  installShellFiles,
}:
let
  manifest = builtins.fromTOML (builtins.readFile ../Cargo.toml);
in
rustPlatform.buildRustPackage {
  pname = manifest.package.name;
  version = manifest.workspace.package.version;
  src = lib.cleanSource ../.;
  cargoLock.lockFile = ../Cargo.lock;
  cargoBuildFlags = [
    "--package"
    manifest.package.name
  ];
  # They want a Debian: its bash and util-linux at their places, its systemd and Podman. `make test` runs them.
  doCheck = false;

  nativeBuildInputs = [ installShellFiles ];
  postInstall = ''
    install -D -m 0644 src/config/config.example.toml "$out/share/doc/homelab-runners/config.example.toml"
  ''
  + lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    "$out/bin/runnerctl" man >runnerctl.1
    installManPage runnerctl.1
    for shell in bash zsh fish; do
      "$out/bin/runnerctl" completions "$shell" >"runnerctl.$shell"
      installShellCompletion --cmd runnerctl "--$shell" "runnerctl.$shell"
    done
  '';

  meta = {
    inherit (manifest.package) description;
    license = with lib.licenses; [
      mit
      asl20
    ];
    mainProgram = "runnerctl";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
