# What is needed to build and lint; the guest and the integration tests want a Debian (CONTRIBUTING.md).
{
  mkShell,
  cargo,
  clippy,
  deadnix,
  nixfmt,
  rustc,
  rustfmt,
  shellcheck,
}:
mkShell {
  packages = [
    cargo
    clippy
    deadnix
    nixfmt
    rustc
    rustfmt
    shellcheck
  ];
}
