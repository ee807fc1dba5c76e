# SPDX-License-Identifier: MIT
# As it stands, this formula builds the repository's head (brew install --HEAD); scripts/release.sh writes one with a release's tarball.
class Bpfengine < Formula
  desc "Packet capture engine over raw BPF"
  homepage "https://github.com/bpfengine/bpfengine"
  license "MIT"
  head "https://github.com/bpfengine/bpfengine.git", branch: "main"

  depends_on "meson" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "libmicrohttpd"
  depends_on "librdkafka"
  depends_on "lz4"
  depends_on "openssl@3"
  depends_on "xz"
  depends_on "zstd"

  uses_from_macos "ncurses"
  uses_from_macos "sqlite"
  uses_from_macos "zlib"

  def install
    # CommonCrypto is a part of macOS.
    crypto = OS.mac? ? ["-Dcrypto=commoncrypto"] : ["-Dcrypto=openssl"]
    system "meson", "setup", "build", "-Dtests=disabled", "-Dexamples=false", "-Dlibpcap=disabled", "-Dcurses=enabled", "-Dzstd=enabled", "-Dlz4=enabled", "-Dzlib=enabled", "-Dlzma=enabled", *crypto, "-Dtls=enabled", "-Dkafka=enabled", "-Dhttp=enabled", "-Dsqlite=enabled", *std_meson_args
    system "meson", "compile", "-C", "build", "--verbose"
    system "meson", "install", "-C", "build"
    pkgshare.install "scripts/bpf-access.sh"
  end

  def caveats
    <<~EOS
      Capturing reads /dev/bpf*, which only root may at first.  Run bpfengine with sudo, or give a group the right once:
        sudo #{opt_pkgshare}/bpf-access.sh install
    EOS
  end

  test do
    assert_match '"read":1000,"delivered":1000', shell_output("#{bin}/bpfengine -i synth:count=1000 --json")
    system ENV.cc, doc/"examples/basic_capture.c", "-I#{include}", "-L#{lib}", "-lbpfengine", "-o", "basic_capture"
    assert_match "TCP", shell_output("./basic_capture synth:count=1000")
  end
end
