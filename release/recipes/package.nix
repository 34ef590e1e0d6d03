# Made by release/ of << .Homepage >>, commit << .Commit >>.
{
  lib,
  stdenvNoCC,
  fetchurl,
  installShellFiles,
}:

let
  sources = {
    x86_64-linux = {
      url = "<< .URL "linux_amd64" >>";
      hash = "<< .SRI "linux_amd64" >>";
    };
    aarch64-linux = {
      url = "<< .URL "linux_arm64" >>";
      hash = "<< .SRI "linux_arm64" >>";
    };
    x86_64-darwin = {
      url = "<< .URL "darwin_amd64" >>";
      hash = "<< .SRI "darwin_amd64" >>";
    };
    aarch64-darwin = {
      url = "<< .URL "darwin_arm64" >>";
      hash = "<< .SRI "darwin_arm64" >>";
    };
  };
  inherit (stdenvNoCC.hostPlatform) system;
in
stdenvNoCC.mkDerivation {
  pname = "probity";
  version = "<< .Version >>";

  src = fetchurl (sources.${system} or (throw "probity is not built for ${system}"));

  nativeBuildInputs = [ installShellFiles ];

  dontConfigure = true;
  dontBuild = true;
  dontStrip = true;

  installPhase = ''
    runHook preInstall
    install -Dm755 probity $out/bin/probity
    installManPage man/man1/*.1
    installShellCompletion --cmd probity \
      --bash completions/probity.bash \
      --zsh completions/_probity \
      --fish completions/probity.fish
    mkdir -p $out/share/doc/probity
    cp -r LICENSE licenses sbom.cdx.json $out/share/doc/probity/
    runHook postInstall
  '';

  meta = {
    description = "<< .Summary >>";
    homepage = "<< .Homepage >>";
    license = lib.licenses.asl20;
    mainProgram = "probity";
    platforms = builtins.attrNames sources;
    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
  };
}
