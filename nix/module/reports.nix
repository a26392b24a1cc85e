# The option `reports`: the table [reports], and the firewall.
{ lib }:
let
  inherit (lib) mkOption types;
  inherit (import ./types.nix { inherit lib; }) key;
  size = types.strMatching "0|[1-9][0-9]*[KMGT]?|none";
in
mkOption {
  default = { };
  description = "What becomes of the reports of workflow jobs, docs/reports.md.";
  type = types.submodule {
    options = {
      hooks = key types.bool "Job hooks give each workflow job a directory for its report. runnerctl's default: `true`.";
      layout = key types.nonEmptyStr "That directory's place below the reports directory. runnerctl's default: `{workflow}/{run_id}`.";
      cleanWorkspace = key types.bool "Empty the workspace after each workflow job, by the same hooks. runnerctl's default: `true`.";
      serve = key types.bool "Run the report server. runnerctl's default: `true`.";
      listen = mkOption {
        type = types.strMatching ".+:[1-9][0-9]*";
        default = "127.0.0.1:8089";
        example = "0.0.0.0:8089";
        description = "Address and port of the report server. Whoever reaches it reads all reports.";
      };
      openFirewall = mkOption {
        type = types.bool;
        default = false;
        description = "Open the port of `listen` in the firewall of this host.";
      };
      url = key types.nonEmptyStr "The address that people type, for links to reports; without it that of `listen`.";
      tls = mkOption {
        default = { };
        description = "HTTPS. systemd reads the files and hands them to the server (`LoadCredential=`).";
        type = types.submodule {
          options = {
            certificate = key types.externalPath "PEM file with the server's certificate and those between it and the root.";
            key = key types.externalPath "PEM file with its private key; never in the Nix store.";
          };
        };
      };
      retention = mkOption {
        default = { };
        description = "How long reports stay. The last good and the last failed run of each workflow stay whatever the budgets say.";
        type = types.submodule {
          options = {
            enabled = key types.bool "Delete by a timer. runnerctl's default: `true`.";
            interval = key types.nonEmptyStr "Time between two runs of the timer. runnerctl's default: `10m`.";
            maxAge = key types.nonEmptyStr "Runs that ended longer ago go; whole days. runnerctl's default: `90d`.";
            runsMax = key types.ints.positive "Most runs of one workflow. runnerctl's default: 500.";
            workflowMax = key size "Most that one workflow may hold. runnerctl's default: `5G`.";
            totalMax = key size "Most that all reports may hold. runnerctl's default: `20G`.";
          };
        };
      };
    };
  };
}
