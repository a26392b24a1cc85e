# Stand-in for the few packages that the module and its tests need. Each is a real derivation that /bin/bash of this host builds. Own code.
{
  lib,
  system ? "x86_64-linux",
  # The runnerctl under test; without it a program that only has its name.
  runnerctlBin ? null,
  # Directory with programs of Debian 13 (tests/integration/debian13.sh): the real Quadlet generator and systemd-analyze.
  debian13 ? null,
}:
let
  # Of this host. A build of Nix's own would bring its own bash and coreutils.
  hostPath = "/usr/local/bin:/usr/bin:/bin";
  drv =
    name: env: script:
    derivation (
      {
        inherit name system script;
        builder = "/bin/bash";
        args = [
          "-euc"
          ''
            PATH="$(for input in ''${nativeBuildInputs:-}; do printf %s "$input/bin:"; done)$PATH"
            shopt -s nullglob
            . "$scriptPath"
          ''
        ];
        passAsFile = [ "script" ] ++ (env.passAsFile or [ ]);
        PATH = hostPath;
      }
      // removeAttrs env [
        "passAsFile"
        "meta"
        "passthru"
      ]
    )
    // {
      meta = env.meta or { };
    }
    // env.passthru or { };

  script = path: text: ''
    mkdir -p "$(dirname "$out/${path}")"
    printf '%s\n' '#!/bin/bash' ${lib.escapeShellArg text} >"$out/${path}"
    chmod +x "$out/${path}"
  '';
  # Calls the host's program of that name.
  wrapper =
    name: drv name { meta.mainProgram = name; } (script "bin/${name}" ''exec /usr/bin/${name} "$@"'');

  # A program of `debian13`, with the loader and the libraries from there: this host's may be older.
  triple = builtins.replaceStrings [ "-linux" ] [ "-linux-gnu" ] system;
  libraries = "${debian13}/usr/lib/${triple}";
  loader = if lib.hasPrefix "aarch64" system then "ld-linux-aarch64.so.1" else "ld-linux-x86-64.so.2";
  ofDebian =
    program:
    ''"${libraries}/${loader}" --library-path "${libraries}:${libraries}/systemd" "${debian13}/${program}" "$@"'';

  # JSON's strings, numbers and booleans are TOML's; sets become inline tables.
  tomlOf =
    value:
    if builtins.isAttrs value then
      "{ ${
        lib.concatStringsSep ", " (
          lib.mapAttrsToList (key: inner: "${builtins.toJSON key} = ${tomlOf inner}") value
        )
      } }"
    else if builtins.isList value then
      "[${lib.concatMapStringsSep ", " tomlOf value}]"
    else
      builtins.toJSON value;
  tomlType =
    with lib.types;
    oneOf [
      bool
      int
      float
      str
      path
      (attrsOf tomlType)
      (listOf tomlType)
    ]
    // {
      description = "TOML value";
    };

  self = {
    inherit lib;
    stdenv = {
      hostPlatform.system = system;
      buildPlatform.canExecute = _: true;
    };
    runCommand = drv;
    writeText =
      name: text:
      drv name {
        inherit text;
        passAsFile = [ "text" ];
      } ''cp "$textPath" "$out"'';
    formats.toml = { }: {
      type = tomlType;
      generate =
        name: value:
        self.writeText name (
          lib.concatStrings (
            lib.mapAttrsToList (key: inner: "${builtins.toJSON key} = ${tomlOf inner}\n") value
          )
        );
    };
    callPackage =
      file: arguments:
      let
        function = if builtins.isFunction file then file else import file;
      in
      function (builtins.intersectAttrs (builtins.functionArgs function) self // arguments);
    mkShell = env: drv "shell" (env // { passthru = env; }) ''touch "$out"'';
    rustPlatform.buildRustPackage =
      attributes:
      drv "${attributes.pname}-${attributes.version}" {
        inherit (attributes) meta;
        lock = builtins.readFile attributes.cargoLock.lockFile;
      } (script "bin/${attributes.meta.mainProgram}" "exit 1");
    installShellFiles = wrapper "installShellFiles";
    versionCheckHook = wrapper "versionCheckHook";
    nixfmt = wrapper "nixfmt";
    deadnix = wrapper "deadnix";
    docker = wrapper "docker";
    cargo = wrapper "cargo";
    clippy = wrapper "clippy";
    rustc = wrapper "rustc";
    rustfmt = wrapper "rustfmt";
    shellcheck = wrapper "shellcheck";
    bashInteractive = wrapper "bash";
    coreutils = wrapper "env";
    buildEnv = { name, paths }: drv name { inherit paths; } ''touch "$out"'';
    dockerTools.buildImage =
      {
        name,
        tag,
        copyToRoot,
      }:
      drv "image" { inherit tag copyToRoot; } ''touch "$out"'';
    testers.runNixOSTest =
      test:
      drv "vm-test-run-${test.name}" {
        passthru = { inherit test; };
        testScript = test.testScript;
        passAsFile = [ "testScript" ];
      } ''cp "$testScriptPath" "$out"'';
    podman = drv "podman" { meta.mainProgram = "podman"; } (
      script "bin/podman" ''exec /usr/bin/podman "$@"''
      # Debian's generator has /usr/bin/podman compiled in, that of nixpkgs its own store path.
      + lib.optionalString (debian13 != null) (
        script "libexec/podman/quadlet" ''
          ${ofDebian "usr/libexec/podman/quadlet"}
          for last in "$@"; do :; done
          sed -i "s#/usr/bin/podman#''${0%/libexec/*}/bin/podman#g" "$last"/*.service
        ''
      )
    );
    systemd = drv "systemd" { } (
      ''mkdir -p "$out"''
      + lib.optionalString (debian13 != null) (
        "\n" + script "bin/systemd-analyze" "exec ${ofDebian "usr/bin/systemd-analyze"}"
      )
    );
    homelab-runners = drv "homelab-runners" (
      {
        meta.mainProgram = "runnerctl";
      }
      // lib.optionalAttrs (runnerctlBin != null) {
        exe = builtins.path {
          path = runnerctlBin;
          name = "runnerctl";
        };
      }
    ) ''mkdir -p "$out/bin"; if [ -n "''${exe-}" ]; then cp "$exe" "$out/bin/runnerctl"; fi'';
  };
in
self
