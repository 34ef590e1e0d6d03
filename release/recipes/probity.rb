# Made by release/ of << .Homepage >>, commit << .Commit >>.
class Probity < Formula
  desc "<< .Summary >>"
  homepage "<< .Homepage >>"
  version "<< .Version >>"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "<< .URL "darwin_arm64" >>"
      sha256 "<< .SHA256 "darwin_arm64" >>"
    end
    on_intel do
      url "<< .URL "darwin_amd64" >>"
      sha256 "<< .SHA256 "darwin_amd64" >>"
    end
  end

  on_linux do
    on_arm do
      url "<< .URL "linux_arm64" >>"
      sha256 "<< .SHA256 "linux_arm64" >>"
    end
    on_intel do
      url "<< .URL "linux_amd64" >>"
      sha256 "<< .SHA256 "linux_amd64" >>"
    end
  end

  def install
    bin.install "probity"
    man1.install Dir["man/man1/*.1"]
    bash_completion.install "completions/probity.bash" => "probity"
    zsh_completion.install "completions/_probity"
    fish_completion.install "completions/probity.fish"
    doc.install "LICENSE", "licenses", "sbom.cdx.json"
  end

  test do
    assert_match "<< .Tag >>", shell_output("#{bin}/probity version")
  end
end
