{
  description = "Stands in for nixpkgs where there is no network: nix flake check --override-input nixpkgs path:./nix/tests/offline";
  outputs = _: rec {
    lib = import ./lib.nix;
    legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
      system: import ./pkgs.nix { inherit lib system; }
    );
  };
}
