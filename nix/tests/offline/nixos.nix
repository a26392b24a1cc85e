# Declares the NixOS options that our module may set, and no other, with closed sets of names: a misspelt one is an error here as it is there. Own code.
{ lib, pkgs }:
modules:
let
  inherit (lib) mkOption types;
  o = type: default: mkOption { inherit type default; };
  required = type: mkOption { inherit type; };
  unitName = types.strMatching "[a-zA-Z0-9@%:_.-]+[.](service|socket|target|path|timer|slice)";
  section = types.attrsOf (
    types.oneOf [
      types.bool
      types.int
      types.float
      types.str
      types.package
      (types.listOf (
        types.oneOf [
          types.str
          types.package
        ]
      ))
    ]
  );
  common = {
    enable = o types.bool true;
    description = o types.singleLineStr "";
    documentation = o (types.listOf types.str) [ ];
    unitConfig = o section { };
    overrideStrategy = o (types.enum [
      "asDropinIfExists"
      "asDropin"
    ]) "asDropinIfExists";
  }
  // lib.genAttrs [
    "wantedBy"
    "requiredBy"
    "wants"
    "requires"
    "after"
    "before"
    "partOf"
    "bindsTo"
    "onFailure"
  ] (_: o (types.listOf unitName) [ ]);
  unit = extra: o (types.attrsOf (types.submodule { options = common // extra; })) { };
  range = start: {
    options = {
      ${start} = required types.ints.unsigned;
      count = required types.ints.positive;
    };
  };
  base = {
    options = {
      assertions = o (types.listOf types.unspecified) [ ];
      warnings = o (types.listOf types.str) [ ];
      environment.systemPackages = o (types.listOf types.package) [ ];
      environment.etc = o (types.attrsOf (
        types.submodule {
          options = {
            source = o (types.nullOr types.path) null;
            text = o (types.nullOr types.lines) null;
            mode = o types.str "symlink";
            user = o types.str "+0";
            group = o types.str "+0";
          };
        }
      )) { };
      users.users = o (types.attrsOf (
        types.submodule {
          options = {
            description = o types.str "";
            isSystemUser = o types.bool false;
            uid = o (types.nullOr types.int) null;
            group = o types.str "";
            home = o types.path "/var/empty";
            subUidRanges = o (types.listOf (types.submodule (range "startUid"))) [ ];
            subGidRanges = o (types.listOf (types.submodule (range "startGid"))) [ ];
          };
        }
      )) { };
      users.groups = o (types.attrsOf (
        types.submodule { options.gid = o (types.nullOr types.int) null; }
      )) { };
      virtualisation =
        lib.genAttrs [ "podman" "docker" ] (engine: {
          enable = o types.bool false;
          package = o types.package pkgs.${engine};
        })
        // {
          # Of nodes of runNixOSTest.
          memorySize = o types.ints.positive 1024;
          diskSize = o types.ints.positive 1024;
        };
      specialisation = o (types.attrsOf (
        types.submodule { options.configuration = o types.raw { }; }
      )) { };
      networking.hostName = o types.str "nixos";
      networking.firewall.allowedTCPPorts = o (types.listOf types.port) [ ];
      system.stateVersion = o types.str "26.05";
      system.preSwitchChecks = o (types.attrsOf types.str) { };
      # What our examples set beside our own options.
      sops = o types.anything { };
      age = o types.anything { };
      systemd = {
        package = o types.package pkgs.systemd;
        packages = o (types.listOf types.package) [ ];
        services = unit {
          path = o (types.listOf types.package) [ ];
          script = o types.lines "";
          environment = o (types.attrsOf (types.nullOr types.str)) { };
          serviceConfig = o section { };
          restartIfChanged = o types.bool true;
          stopIfChanged = o types.bool true;
          restartTriggers = o (types.listOf types.unspecified) [ ];
        };
        targets = unit { };
        timers = unit { timerConfig = o section { }; };
        slices = unit { sliceConfig = o section { }; };
      };
    };
    config._module.args = { inherit pkgs; };
  };
in
lib.evalModules { modules = [ base ] ++ modules; }
