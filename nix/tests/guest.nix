# Hosts for the Debian guest (tests/vm): of each what NixOS would put into place for our module, as a directory that guest-switch.sh activates.
#
# The units are the module's, byte for byte. What NixOS itself would write is written here: the unit of `runnerctl roll` from its options, the accounts, the links.
{
  runnerctlBin,
  debian13,
}:
let
  lib = import ./offline/lib.nix;
  pkgs = import ./offline/pkgs.nix { inherit lib runnerctlBin debian13; };
  of =
    options:
    (import ./offline/nixos.nix { inherit lib pkgs; } [
      ../module.nix
      { services.homelabRunners = options; }
    ]).config;

  fleet = {
    enable = true;
    # The simulator, tests/simulator.
    url = "http://github.localhost/acme/shop";
    tokensFile = "/run/secrets/homelab-runners";
    labels = [ "homelab" ];
    limits = {
      cpuQuota = "150%";
      memoryMax = "300M";
      tasksMax = 512;
    };
    settings = {
      environment.STANDIN_TIMESCALE = "10";
      health = {
        interval = "5s";
        timeout = "20s";
        retries = 2;
        start_period = "90s";
      };
    };
  };
  edited = fleet // {
    limits = fleet.limits // {
      memoryMax = "320M";
    };
  };

  values = value: if builtins.isList value then value else [ value ];
  lines =
    section:
    lib.concatStrings (
      lib.concatLists (
        lib.mapAttrsToList (
          key: value: map (one: "${key}=${if one == true then "true" else toString one}\n") (values value)
        ) section
      )
    );
  # As NixOS writes a service, for what ours uses of it.
  service =
    unit:
    ''
      [Unit]
      Description=${unit.description}
      X-Restart-Triggers=${lib.concatMapStringsSep " " toString unit.restartTriggers}
      [Service]
      X-StopIfChanged=${if unit.stopIfChanged then "true" else "false"}
    ''
    + lines unit.serviceConfig;

  accounts =
    config:
    lib.concatStrings (
      lib.mapAttrsToList (
        name: user:
        "${name} ${toString user.uid} ${user.home} ${
          lib.concatMapStringsSep " " (
            range: "${toString range.startUid}:${toString range.count}"
          ) user.subUidRanges
        }\n"
      ) config.users.users
    );

  host =
    options:
    let
      config = of options;
      written = lib.mapAttrs (
        name: unit: pkgs.writeText "${name}.service" (service unit)
      ) config.systemd.services;
    in
    pkgs.runCommand "host"
      {
        packages = config.systemd.packages;
        wanted = lib.concatStringsSep " " (
          lib.mapAttrsToList (name: _: "${name}.service") (
            lib.filterAttrs (_: unit: builtins.elem "multi-user.target" unit.wantedBy) config.systemd.services
          )
        );
        etc = lib.concatStrings (
          lib.mapAttrsToList (name: file: "${name} ${file.source}\n") config.environment.etc
        );
        accounts = accounts config;
        check = lib.concatStrings (lib.attrValues config.system.preSwitchChecks);
        passAsFile = [
          "etc"
          "accounts"
          "check"
        ];
        services = lib.concatStringsSep "\n" (
          lib.mapAttrsToList (name: file: "${name}.service ${file}") written
        );
      }
      ''
        units=$out/etc/systemd/system
        mkdir -p "$units/multi-user.target.wants"
        for package in $packages; do
          ln -s "$package"/lib/systemd/system/* "$units"
        done
        while read -r name file; do
          [ -z "$name" ] || ln -s "$file" "$units/$name"
        done <<<"$services"
        for name in $wanted; do
          ln -s "../$name" "$units/multi-user.target.wants/$name"
        done
        while read -r name file; do
          mkdir -p "$(dirname "$out/etc/$name")"
          ln -s "$file" "$out/etc/$name"
        done <"$etcPath"
        cp "$accountsPath" "$out/accounts"
        cp "$checkPath" "$out/check"
      '';
in
lib.mapAttrs (_: host) {
  first = fleet;
  inherit edited;
  fewer = edited // {
    count = 3;
  };
  off = { };
}
