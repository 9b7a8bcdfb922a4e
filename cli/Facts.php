<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** What is known of this PHP and this machine. */
final class Facts
{
    public string $php = PHP_VERSION;
    public int $phpId = PHP_VERSION_ID;
    public bool $threadSafe = PHP_ZTS === 1;
    public bool $debug = PHP_DEBUG === 1;
    /** @var array<string, string> settings of PHP's by name, those that are judged */
    public array $ini = [];
    /** @var list<string> in lower case */
    public array $extensions = [];
    public bool $opcacheWorks = false;
    public bool $opcacheInstalled = false;
    /** The version of the extension; null when it does not load, or is not there. */
    public ?string $ferrite = null;
    /** The file of the extension; null when it is loaded already, or is not there. */
    public ?string $ferriteFile = null;
    /** What PHP says of an extension that does not load. */
    public string $complaint = '';
    /** How many files a process may have open, at most: the hard limit. */
    public int $filesMax = PHP_INT_MAX;
    /** Bytes that a socket may have for what arrives (net.core.rmem_max); 0: not known. */
    public int $receiveBufferMax = 0;
    /** Whether the process may exceed it, as root may. */
    public bool $maySetBuffers = false;
    public string $kernel = '';
    /** Whether the kernel cuts UDP packets by itself (UDP_SEGMENT); null: it could not be tried. */
    public ?bool $cutsPackets = null;
    /** Free bytes in the folder for temporary files; null: it cannot be written. */
    public ?int $temporaryBytes = null;
    public string $temporaryFolder = '';

    private const CAP_NET_ADMIN = 1 << 12;
    private const SOL_UDP = 17;
    private const UDP_SEGMENT = 103;

    /** @param string $root where /proc lies */
    public static function read(string $root = ''): self
    {
        $facts = new self();
        foreach (['memory_limit', 'opcache.enable_cli', 'opcache.enable', 'xdebug.mode', 'xdebug.start_with_request'] as $name) {
            $facts->ini[$name] = (string) ini_get($name);
        }
        // What the environment says goes over the setting.
        if (is_string($mode = getenv('XDEBUG_MODE'))) {
            $facts->ini['xdebug.mode'] = $mode;
        }
        $facts->extensions = array_map('strtolower', get_loaded_extensions());
        $facts->opcacheWorks = Extension::opcacheWorks();
        $facts->opcacheInstalled = Extension::hasOpcache();
        if (($extension = Extension::find()) !== null) {
            $facts->ferriteFile = $extension->file;
            $facts->ferrite = $extension->version();
            $facts->complaint = $facts->ferrite === null ? $extension->complaint() : '';
        }
        $facts->readKernel($root);
        $facts->temporaryFolder = sys_get_temp_dir();
        if (is_writable($facts->temporaryFolder)) {
            $facts->temporaryBytes = (int) (@disk_free_space($facts->temporaryFolder) ?: 0);
        }
        return $facts;
    }

    private function readKernel(string $root): void
    {
        if (preg_match('/^Max open files\s+\S+\s+(\d+)/m', (string) @file_get_contents("$root/proc/self/limits"), $match) === 1) {
            $this->filesMax = (int) $match[1];
        }
        $this->receiveBufferMax = (int) @file_get_contents("$root/proc/sys/net/core/rmem_max");
        $status = (string) @file_get_contents("$root/proc/self/status");
        $this->maySetBuffers = preg_match('/^CapEff:\s*[0-9a-f]*([0-9a-f]{8})$/m', $status, $match) === 1
            && (hexdec($match[1]) & self::CAP_NET_ADMIN) !== 0;
        $this->kernel = trim((string) @file_get_contents("$root/proc/sys/kernel/osrelease"));
        if (function_exists('socket_create') && $root === '') {
            $socket = @socket_create(AF_INET, SOCK_DGRAM, 0);
            $this->cutsPackets = $socket !== false && @socket_set_option($socket, self::SOL_UDP, self::UDP_SEGMENT, 1200);
        } elseif ($this->kernel !== '') {
            $this->cutsPackets = version_compare($this->kernel, '4.18', '>=');
        }
    }
}
