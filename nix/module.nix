# services.homelabRunners: a fleet of self-hosted GitHub Actions runners under systemd.
#
# Nothing here writes a unit. The options become the config.toml that runnerctl reads on every host, and runnerctl renders the units from it in a derivation;
# what Nix adds is what NixOS alone can make: accounts, and what happens at a switch.
{
  imports = [
    ./module/options.nix
    ./module/settings.nix
    ./module/accounts.nix
    ./module/units.nix
    ./module/switch.nix
    ./module/assertions.nix
  ];
}
