# The units: rendered by runnerctl while the system is built, and read there by all that will read them later. Nothing is read back during evaluation.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.homelabRunners;
  fleet = import ./fleet.nix { inherit config lib; };
  configFile = (pkgs.formats.toml { }).generate "homelab-runners.toml" cfg.settings;
  inherit (config) users virtualisation;
  usesDocker = cfg.settings.engine == "docker";
  usesPodman = !usesDocker || fleet.withEngine != [ ];
  podman = virtualisation.podman.package;

  port = address: lib.toInt (lib.last (lib.splitString ":" address));

  # The lines of passwd(5), group(5) and subuid(5), as NixOS will write them: the units have to name the same ids.
  lines = f: lib.concatMapStrings (number: f (fleet.name number)) fleet.withEngine;
  passwd = lines (
    name:
    let
      user = users.users.${name};
    in
    "${name}:x:${toString user.uid}:${
      toString users.groups.${user.group}.gid
    }:${user.description}:${user.home}:/run/current-system/sw/bin/nologin\n"
  );
  group = lines (name: "${name}:x:${toString users.groups.${name}.gid}:\n");
  subordinate =
    ranges: start:
    lines (
      name:
      lib.concatMapStrings (
        range: "${name}:${toString range.${start}}:${toString range.count}\n"
      ) users.users.${name}.${ranges}
    );
in
{
  config = lib.mkIf cfg.enable {
    services.homelabRunners.finalUnits =
      pkgs.runCommand "homelab-runners-units"
        {
          nativeBuildInputs = [ cfg.generatorPackage ];
          preferLocalBuild = true;
          allowSubstitutes = false;
          inherit configFile passwd group;
          subuid = subordinate "subUidRanges" "startUid";
          subgid = subordinate "subGidRanges" "startGid";
          stateDirectory = fleet.state;
          runnerctl = lib.getExe cfg.package;
          engineProgram =
            if usesDocker then "${virtualisation.docker.package}/bin/docker" else "${podman}/bin/podman";
          podmanProgram = if usesPodman then "${podman}/bin/podman" else "";
          quadlet = if usesDocker then "" else "${podman}/libexec/podman/quadlet";
          systemd = if cfg.verifyUnits then config.systemd.package else "";
        }
        ''
          source ${./render.sh}
        '';

    systemd.packages = [ cfg.finalUnits ];
    environment.etc."homelab-runners/config.toml".source = configFile;
    environment.systemPackages = [ cfg.package ];

    virtualisation.podman.enable = lib.mkIf usesPodman true;
    virtualisation.docker.enable = lib.mkIf usesDocker true;

    networking.firewall.allowedTCPPorts = lib.mkMerge [
      (lib.mkIf cfg.reports.openFirewall [ (port cfg.settings.reports.listen) ])
      (lib.mkIf cfg.monitor.openFirewall [ (port cfg.settings.monitor.listen) ])
    ];
  };
}
