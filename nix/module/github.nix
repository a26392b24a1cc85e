# The option `github`: the table [github], with what this host itself speaks to GitHub.
{ lib }:
let
  inherit (lib) mkOption types;
  inherit (import ./types.nix { inherit lib; }) key;
in
mkOption {
  default = { };
  description = "With what this host speaks to GitHub: with more than registration tokens, runners register again by themselves, and are drained without a race.";
  type = types.submodule {
    options = {
      credential =
        key
          (types.enum [
            "registration-token"
            "pat"
            "app"
          ])
          "The tokens of `tokensFile` alone, a personal access token, or the key of a GitHub App. runnerctl's default: `registration-token`.";
      credentialFile = key types.externalPath "File on the host with the token, or the key in PEM; such as sops-nix and agenix make it. systemd hands it to the units. Never in the Nix store.";
      encrypted = key types.bool "The file was made by `systemd-creds encrypt --name=github` on this very host; systemd decrypts it for the units. runnerctl's default: `false`.";
      clientId = key types.nonEmptyStr "Client id, or app id, of the GitHub App.";
      installationId = key types.ints.positive "The App's installation; without it GitHub is asked which one `url` has.";
      apiUrl = key types.nonEmptyStr "Where GitHub's REST API is; without it that of `url`.";
    };
  };
}
