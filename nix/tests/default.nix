# The checks of the flake. With the real nixpkgs they build a host and boot it; with ./offline in its place they are evaluated as far as that goes.
{ pkgs, self }:
let
  inherit (pkgs) lib;
  inherit (pkgs.stdenv.hostPlatform) system;
  # The whole of NixOS, where it is there.
  nixos =
    file:
    (lib.nixosSystem {
      inherit system;
      modules = [
        self.nixosModules.default
        (import file)
        {
          boot.loader.grub.enable = false;
          fileSystems."/".device = "none";
          fileSystems."/".fsType = "tmpfs";
        }
      ];
    }).config;
in
{
  package = self.packages.${system}.default;
  vm = pkgs.testers.runNixOSTest (import ./vm.nix { module = self.nixosModules.default; });
}
// lib.optionalAttrs (lib ? nixosSystem) {
  # All units of that host, ours among them, as systemd will find them.
  host = (nixos ../examples/host.nix).environment.etc."systemd/system".source;
}
