# What the module makes of a host's configuration, as plain values: compared with facts.json. The same expression runs with the stand-ins of ./offline and with the real lib.
{
  nixpkgsLib ? ./offline/lib.nix,
  nixos ? ./offline/nixos.nix,
  runnerctlBin ? null,
  debian13 ? null,
}:
let
  lib = import nixpkgsLib;
  pkgs = import ./offline/pkgs.nix { inherit lib runnerctlBin debian13; };
  evaluate = modules: import nixos { inherit lib pkgs; } ([ ../module.nix ] ++ modules);
  of = module: (evaluate [ module ]).config;
  minimal = {
    enable = true;
    url = "https://github.com/acme/shop";
    tokensFile = "/run/secrets/homelab-runners";
  };
  on = options: of { services.homelabRunners = minimal // options; };

  failed = config: map (a: a.message) (builtins.filter (a: !a.assertion) config.assertions);
  throws = value: !(builtins.tryEval (builtins.deepSeq value true)).success;

  # Store paths hold hashes of the programs: their names are fact enough.
  plain =
    value:
    if lib.isDerivation value then
      value.name
    else if builtins.isAttrs value then
      lib.mapAttrs (_: plain) value
    else if builtins.isList value then
      map plain value
    else if builtins.isString value || builtins.isPath value then
      let
        parts = builtins.split "/nix/store/[0-9a-z]{32}-" (builtins.unsafeDiscardStringContext "${value}");
      in
      lib.concatStringsSep "STORE/" (builtins.filter builtins.isString parts)
    else
      value;

  # All that the module sets, so that nothing stays unevaluated.
  host =
    config:
    plain {
      inherit (config) assertions warnings;
      inherit (config.environment) etc systemPackages;
      inherit (config.users) users groups;
      inherit (config.systemd)
        packages
        services
        targets
        timers
        slices
        ;
      inherit (config.system) preSwitchChecks;
      podman = config.virtualisation.podman.enable;
      docker = config.virtualisation.docker.enable;
      ports = config.networking.firewall.allowedTCPPorts;
      inherit (config.services.homelabRunners) settings;
    };

  cases = import ./cases.nix;

  # The node of the test for runNixOSTest, as it boots and as its specialisations make it.
  vm = import ./vm.nix { module = { }; };
  node = vm.nodes.machine;
  booted = evaluate [ node ];
  nodes = {
    inherit booted;
  }
  // lib.mapAttrs (
    _: special:
    evaluate [
      node
      special.configuration
    ]
  ) booted.config.specialisation;
in
{
  # Derivations: built by check.sh.
  units = lib.mapAttrs (_: options: (on options).services.homelabRunners.finalUnits) cases.good;
  configs = lib.mapAttrs (
    _: options: (on options).environment.etc."homelab-runners/config.toml".source
  ) cases.good;
  inherit (pkgs) podman systemd;
  unbuildable = lib.mapAttrs (
    _: options: (on options).services.homelabRunners.finalUnits
  ) cases.unbuildable;
  # What the units are rendered for.
  accounts = lib.mapAttrs (_: options: {
    inherit ((on options).services.homelabRunners.finalUnits)
      passwd
      group
      subuid
      subgid
      ;
  }) cases.good;
  examples = lib.mapAttrs (
    _: file: (of (import file)).services.homelabRunners.finalUnits
  ) cases.examples;

  inherit (vm) testScript;
  optionsDoc = import ../options-doc.nix {
    inherit lib;
    inherit (evaluate [ ]) options;
  };

  facts = {
    vm = lib.mapAttrs (_: node: {
      failed = failed node.config;
      inherit (node.config.services.homelabRunners) settings;
      services = plain node.config.systemd.services;
    }) nodes;
    good = lib.mapAttrs (_: options: host (on options)) cases.good;
    off = plain {
      inherit (of { }) assertions;
      inherit (of { }) systemd users;
    };
    examples = lib.mapAttrs (
      _: file:
      let
        config = of (import file);
      in
      {
        failed = failed config;
        inherit (plain config) warnings;
        inherit (config.services.homelabRunners) settings;
      }
    ) cases.examples;
    # The sentence that helps.
    asserted = lib.mapAttrs (_: options: failed (on options)) cases.asserted;
    warned = lib.mapAttrs (_: options: (on options).warnings) cases.warned;
    # Refused by an option's type: not even evaluated.
    refused = lib.mapAttrs (_: options: throws (host (on options))) cases.refused;
  };
}
