# The option `monitor`: the table [monitor], and the firewall.
{ lib }:
let
  inherit (lib) mkOption types;
  inherit (import ./types.nix { inherit lib; }) key;
in
mkOption {
  default = { };
  description = "Who watches the runners, docs/monitor.md.";
  type = types.submodule {
    options = {
      enable = key types.bool "Run the monitor. runnerctl's default: `true`.";
      listen = mkOption {
        type = types.strMatching ".+:[1-9][0-9]*";
        default = "127.0.0.1:8090";
        example = "0.0.0.0:8090";
        description = "Address and port of its status page, health endpoint and metrics. There is no password.";
      };
      openFirewall = mkOption {
        type = types.bool;
        default = false;
        description = "Open the port of `listen` in the firewall of this host.";
      };
      heal = key types.bool "Restart idle runners whose session is lost, instead of only telling. runnerctl's default: `true`.";
      githubInterval = key types.nonEmptyStr "Time between two questions to GitHub. runnerctl's default: `60s`.";
    };
  };
}
