#!/bin/sh
# Writes the manifests of winget, Scoop and Homebrew for a release: for the archives that `archive.sh` put into PACKAGES,
# as they will be found below URL.
#
#   manifests.sh URL PACKAGES [OUTPUT]
set -eu

url=${1%/}
packages=$2
output=${3:-$packages/manifests}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
description='Git remote helper for Bitbucket Cloud, with the secret in the keychain of the system'
licence=$(sed -n 's/^license = "\(.*\)"/\1/p' Cargo.toml)

# The checksum of the archive for a target, from the file beside it.
sum() {
    cut -d ' ' -f 1 "$packages/git-remote-bbcloud-$version-$1.$2.sha256"
}
windows=x86_64-pc-windows-gnu
folder=git-remote-bbcloud-$version-$windows
mkdir -p "$output"

cat >"$output/scoop.json" <<EOF
{
    "version": "$version",
    "description": "$description",
    "homepage": "$url",
    "license": "$licence",
    "architecture": {
        "64bit": {
            "url": "$url/$folder.zip",
            "hash": "$(sum $windows zip)"
        }
    },
    "extract_dir": "$folder",
    "bin": "git-remote-bbcloud.exe"
}
EOF

id=GitRemoteBbcloud.GitRemoteBbcloud
winget=$output/winget
mkdir -p "$winget"
cat >"$winget/$id.yaml" <<EOF
PackageIdentifier: $id
PackageVersion: $version
DefaultLocale: en-US
ManifestType: version
ManifestVersion: 1.6.0
EOF
cat >"$winget/$id.installer.yaml" <<EOF
PackageIdentifier: $id
PackageVersion: $version
InstallerType: zip
NestedInstallerType: portable
NestedInstallerFiles:
- RelativeFilePath: $folder\\git-remote-bbcloud.exe
  PortableCommandAlias: git-remote-bbcloud
Installers:
- Architecture: x64
  InstallerUrl: $url/$folder.zip
  InstallerSha256: $(sum $windows zip | tr a-f A-F)
ManifestType: installer
ManifestVersion: 1.6.0
EOF
cat >"$winget/$id.locale.en-US.yaml" <<EOF
PackageIdentifier: $id
PackageVersion: $version
PackageLocale: en-US
Publisher: git-remote-bbcloud authors
PackageName: git-remote-bbcloud
License: $licence
ShortDescription: $description
ManifestType: defaultLocale
ManifestVersion: 1.6.0
EOF

cat >"$output/git-remote-bbcloud.rb" <<EOF
class GitRemoteBbcloud < Formula
  desc "$description"
  homepage "$url"
  version "$version"
  license any_of: ["MIT", "Apache-2.0"]

  on_arm do
    url "$url/git-remote-bbcloud-$version-aarch64-apple-darwin.tar.gz"
    sha256 "$(sum aarch64-apple-darwin tar.gz)"
  end
  on_intel do
    url "$url/git-remote-bbcloud-$version-x86_64-apple-darwin.tar.gz"
    sha256 "$(sum x86_64-apple-darwin tar.gz)"
  end

  def install
    bin.install "bin/git-remote-bbcloud"
    man1.install Dir["share/man/man1/*.1"]
    bash_completion.install "share/bash-completion/completions/git-remote-bbcloud"
    zsh_completion.install "share/zsh/site-functions/_git-remote-bbcloud"
    fish_completion.install "share/fish/vendor_completions.d/git-remote-bbcloud.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/git-remote-bbcloud --version")
  end
end
EOF
