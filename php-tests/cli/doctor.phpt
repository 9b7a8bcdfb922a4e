--TEST--
ferrite doctor: each fault is found, and it says what to do
--FILE--
<?php
require __DIR__ . '/../../cli/main.php';

use Ferrite\Cli\{Facts, Finding, Machine};

// A machine with nothing wrong.
function healthy(): Facts
{
    $root = sys_get_temp_dir() . '/ferrite-doctor-' . getmypid();
    $files = [
        'proc/self/limits' => "Limit  Soft Hard Units\nMax open files            1024                 524288               files\n",
        'proc/sys/net/core/rmem_max' => "4194304\n",
        'proc/self/status' => "Name:\tphp\nCapEff:\t0000000000000000\n",
        'proc/sys/kernel/osrelease' => "6.1.0-44-amd64\n",
    ];
    foreach ($files as $name => $content) {
        @mkdir(dirname("$root/$name"), recursive: true);
        file_put_contents("$root/$name", $content);
    }
    $facts = Facts::read($root);
    foreach (array_keys($files) as $name) {
        unlink("$root/$name");
    }
    foreach (['proc/self', 'proc/sys/net/core', 'proc/sys/net', 'proc/sys/kernel', 'proc/sys', 'proc', ''] as $folder) {
        rmdir("$root/$folder");
    }
    $facts->opcacheWorks = true;
    $facts->ini['memory_limit'] = '128M';
    $facts->extensions[] = 'openssl';
    $facts->temporaryBytes = 1 << 40;
    return $facts;
}

function show(string $fault, Closure $plant): void
{
    $facts = healthy();
    $plant($facts);
    echo "$fault:\n";
    foreach (Machine::findings($facts) as $finding) {
        if ($finding->level !== Finding::OK) {
            echo "  $finding->level $finding->subject: ", str_replace(PHP_BINARY, 'PHP', $finding->says), "\n    $finding->advice\n";
        }
    }
}

show('healthy', function ($facts) {
    echo "$facts->filesMax $facts->receiveBufferMax $facts->kernel ", var_export($facts->maySetBuffers, true), ' ', var_export($facts->cutsPackets, true), "\n";
});
show('old', function ($facts) { [$facts->php, $facts->phpId] = ['8.1.2', 80102]; });
show('new', function ($facts) { [$facts->php, $facts->phpId] = ['8.6.0', 80600]; });
show('ZTS', function ($facts) { $facts->threadSafe = true; });
show('debug', function ($facts) { $facts->debug = true; });
show('broken', function ($facts) { [$facts->ferrite, $facts->ferriteFile, $facts->complaint, $facts->php] = [null, '/x/ferrite.so', 'Warning: no', '8.2.0']; });
show('opcache missing', function ($facts) { $facts->opcacheWorks = $facts->opcacheInstalled = false; });
show('opcache off', function ($facts) { [$facts->opcacheWorks, $facts->opcacheInstalled, $facts->ini['opcache.enable']] = [false, true, '0']; });
show('opcache off for the CLI', function ($facts) { [$facts->opcacheWorks, $facts->opcacheInstalled, $facts->ini['opcache.enable']] = [false, true, '1']; });
show('memory', function ($facts) { $facts->ini['memory_limit'] = '-1'; });
show('xdebug', function ($facts) { [$facts->extensions[], $facts->ini['xdebug.mode'], $facts->ini['xdebug.start_with_request']] = ['xdebug', 'debug', 'yes']; });
show('xdebug that waits for nobody', function ($facts) { [$facts->extensions[], $facts->ini['xdebug.mode']] = ['xdebug', 'develop']; });
show('xdebug off', function ($facts) { [$facts->extensions[], $facts->ini['xdebug.mode']] = ['xdebug', 'off']; });
show('openssl', function ($facts) { $facts->extensions = []; });
show('few files', function ($facts) { $facts->filesMax = 1024; });
show('no files', function ($facts) { $facts->filesMax = 255; });
show('buffers', function ($facts) { $facts->receiveBufferMax = 212992; });
show('buffers of root', function ($facts) { [$facts->receiveBufferMax, $facts->maySetBuffers] = [212992, true]; });
show('GSO', function ($facts) { $facts->cutsPackets = false; });
show('little room', function ($facts) { [$facts->temporaryFolder, $facts->temporaryBytes] = ['/tmp', 100 << 20]; });
show('no room', function ($facts) { [$facts->temporaryFolder, $facts->temporaryBytes] = ['/tmp', null]; });
?>
--EXPECT--
524288 4194304 6.1.0-44-amd64 false true
healthy:
old:
  error PHP: 8.1.2 is too old
    Install PHP 8.2 or newer.
new:
  warning PHP: 8.6.0 is newer than what Ferrite is tested with
    If something is odd, try PHP 8.4.
ZTS:
  error PHP: PHP is thread-safe (ZTS), and Ferrite forks
    Install a PHP without thread safety (NTS), which is what distributions ship, and run this with it.
debug:
  error PHP: PHP is a debug build
    Install a release build of PHP.
broken:
  error ferrite: /x/ferrite.so does not load: Warning: no
    Build it for PHP 8.2.0: pie install ferrite/ferrite
opcache missing:
  warning opcache: it is not installed: every request compiles the application anew
    apt-get install php-opcache
opcache off:
  warning opcache: php.ini switches it off: every request compiles the application anew
    Write opcache.enable=1 into php.ini.
opcache off for the CLI:
  warning opcache: off on the command line: ferrite serve switches it on, php server.php does not
    Write zend_extension=opcache and opcache.enable_cli=1 into php.ini.
memory:
  warning memory_limit: there is none: one request can take all memory (ferrite serve sets 256M)
    Write memory_limit=256M into php.ini, or use the option 'php_ini' of the server.
xdebug:
  warning xdebug: on (xdebug.mode=debug): PHP runs several times slower, and each request looks for a debugger
    Start the server with XDEBUG_MODE=off in its environment, unless you debug.
xdebug that waits for nobody:
  warning xdebug: on (xdebug.mode=develop): PHP runs several times slower
    Start the server with XDEBUG_MODE=off in its environment, unless you debug.
xdebug off:
openssl:
  warning openssl: missing: ferrite serve makes another certificate at each start
    Install the extension openssl.
few files:
  warning open files: a process may have 1024 open, so there are fewer connections
    Raise the hard limit: LimitNOFILE=65536 in the unit of systemd, or ulimit -Hn 65536.
no files:
  error open files: a process may have 255 open, which is not enough for a server
    Raise the hard limit: LimitNOFILE=65536 in the unit of systemd, or ulimit -Hn 65536.
buffers:
  warning UDP buffers: net.core.rmem_max is 212992: HTTP/3 loses packets under load
    sysctl -w net.core.rmem_max=4194304, and the same line (net.core.rmem_max=4194304) in /etc/sysctl.d/ferrite.conf.
buffers of root:
GSO:
  warning UDP GSO: the kernel does not cut packets (UDP_SEGMENT): HTTP/3 costs more system calls
    Use Linux 4.18 or newer; a container may not let it through.
little room:
  warning temporary: /tmp has 0.1 GB free, for uploads and responses that clients have not taken
    Set the option 'upload_tmp_dir', or TMPDIR, to a folder with room.
no room:
  error temporary: /tmp cannot be written: uploads and large bodies go there
    Set the option 'upload_tmp_dir', or TMPDIR, to a folder with room.