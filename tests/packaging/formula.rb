# SPDX-License-Identifier: MIT
# formula.rb FORMULA TARBALL KEG: does what a Homebrew formula says, install and test, without Homebrew: with stand-ins for what it asks of
# it, on the tarball whose checksum it must have.  Shows that the steps hold together; it is no "brew install".
require "digest"
require "fileutils"
require "pathname"
require "tmpdir"

formula, tarball, keg = ARGV.map { |a| File.expand_path(a) }

class Pathname
  def install(*sources)
    FileUtils.mkdir_p self
    sources.each { |s| FileUtils.cp_r s.to_s, self }
  end
end

module Hardware
  module CPU
    def self.arm? = RbConfig::CONFIG["host_cpu"].match?(/aarch64|arm64/)
  end
end

module OS
  def self.mac? = RbConfig::CONFIG["host_os"].start_with?("darwin")
end

def ENV.cc = "cc"

class Formula
  class << self
    attr_reader :told, :test_block

    %i[desc homepage url sha256 license head].each do |word|
      define_method(word) { |value, *| (@told ||= {})[word] = value }
    end
    def depends_on(what) = ((@needs ||= []) << what)
    def uses_from_macos(what) = ((@has ||= []) << what)
    def on_linux = (yield unless OS.mac?)
    def needs = @needs
    def test(&block) = @test_block = block
  end

  def initialize(keg) = @keg = Pathname(keg)
  def prefix = @keg
  def bin = @keg/"bin"
  def lib = @keg/"lib"
  def include = @keg/"include"
  def doc = @keg/"share/doc/bpfengine"
  def pkgshare = @keg/"share/bpfengine"
  def opt_pkgshare = pkgshare
  def build = Struct.new(:bottle?).new(true)
  def std_meson_args = ["--prefix=#{prefix}", "--libdir=#{lib}", "--buildtype=release", "--wrap-mode=nofallback"]

  def system(*words)
    words = words.map(&:to_s)
    return if Kernel.system(*words, out: [@keg.to_s + ".log", "a"], err: [:child, :out])

    abort "failed: #{words.join(" ")}\n#{File.read(@keg.to_s + ".log")[-3000..]}"
  end

  def shell_output(command)
    text = IO.popen(command, &:read)
    abort "failed: #{command}" unless $?.success?
    text
  end

  def assert_match(wanted, text)
    abort "#{wanted} is not in: #{text}" unless text.include?(wanted)
    @asserted = asserted + 1
  end

  def asserted = @asserted || 0
end

load formula
told = Bpfengine.told
%i[desc homepage url sha256 license head].each { |word| abort "the formula has no #{word}" if told[word].to_s.empty? }
abort "the formula is of another tarball" if told[:sha256] != Digest::SHA256.file(tarball).hexdigest
abort "desc is longer than 80 characters, or ends with a point" if told[:desc].length > 80 || told[:desc].end_with?(".")
Bpfengine.needs.each { |need| need.each_key { |name| abort "#{name} is not here" unless Kernel.system("command -v #{name} >/dev/null") } }

it = Bpfengine.new(keg)
Dir.mktmpdir do |work|
  abort "the tarball does not unpack" unless Kernel.system("tar", "-xf", tarball, "-C", work, "--strip-components=1")
  Dir.chdir(work) { it.install }
end
%w[bin/bpfengine include/bpfengine.h include/bpfengine.hpp share/man/man1/bpfengine.1 share/bpfengine/bpf-access.sh].each do |f|
  abort "the keg has no #{f}" unless (Pathname(keg)/f).exist?
end
abort "the caveats name a script that is not there" unless it.caveats[%r{\S+/bpf-access\.sh}].then { |f| File.executable?(f) }
ENV["LD_LIBRARY_PATH"] = it.lib.to_s	# brew's programs have an rpath for it
Dir.mktmpdir { |work| Dir.chdir(work) { it.instance_eval(&Bpfengine.test_block) } }
abort "the test asserts nothing" if it.asserted.zero?
puts "the formula's install and test were run: #{it.asserted} assertions held"
