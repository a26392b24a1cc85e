# The option `notify`: the table [notify], whom the monitor tells what.
{ lib }:
let
  inherit (lib) mkOption types;
  inherit (import ./types.nix { inherit lib; }) key;
in
mkOption {
  default = { };
  description = "Whom `runnerctl monitor` tells what, docs/monitor.md; without `command` and `webhook` nobody is told anything.";
  type = types.submodule {
    options = {
      command = key (types.listOf types.str) "Program with its arguments, run for each message without a shell, as the user that the monitor runs as: JSON on stdin, `HOMELAB_RUNNERS_*` in its environment.";
      webhook = key (types.strMatching "https?://.+") "Address that each message is posted to. It is world-readable in the Nix store: where the address alone lets in whoever knows it, use `command`.";
      format = key (types.enum [
        "json"
        "ntfy"
      ]) "What the webhook gets. runnerctl's default: `json`.";
      tokenFile = key types.externalPath "File on the host with the token that the webhook is shown, such as sops-nix and agenix make it; mode 0600. Never in the Nix store.";
      on = key (types.listOf (
        types.enum [
          "needs-token"
          "gave-up"
          "failed"
          "out-of-memory"
          "version-deadline"
          "healed"
          "recovered"
        ]
      )) "What is told. runnerctl's default: all of it.";
      hourlyMax = key (types.ints.between 1 60) "Most messages an hour; what is held back is summed up in the next. runnerctl's default: 12.";
      pause = key types.nonEmptyStr "Time between two messages of one kind about one runner. runnerctl's default: `15m`.";
    };
  };
}
