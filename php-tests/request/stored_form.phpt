--TEST--
A large file of a form is written once: what the reactor has stored becomes the upload
--FILE--
<?php
require __DIR__ . '/../show.inc';

const HANDLER = <<<'CODE'
    $stored = [];
    foreach (glob('/proc/self/fd/*') as $descriptor) {
        $stored[] = @stat($descriptor)['ino'] ?? null;
    }
    $told = [];
    foreach ($request->files ?? [] as $name => $file) {
        $path = $file['tmp_name'];
        $told[$name] = [$file['error'], $file['size']];
        if ($file['error'] === 0 && $name !== 'die') {
            $inode = fileinode($path);
            $moved = is_uploaded_file($path) && move_uploaded_file($path, place($name));
            clearstatcache();
            array_push($told[$name], md5_file(place($name)), in_array($inode, $stored, true) ? 'stored' : 'copied',
                $moved && fileinode(place($name)) === $inode, stat(place($name))['nlink']);
            unlink(place($name));
        }
    }
    isset($request->files['die']) && posix_kill(getmypid(), SIGKILL);
    $inside = glob(place('ferrite-uploads-*/*'));
    $response->end(json_encode([$told, $request->post && strlen($request->post['a']), md5($request->rawContent()),
        md5(stream_get_contents($request->stream())), count($inside)]));
    CODE;

function part(string $name, string $content): string
{
    return "--B\r\nContent-Disposition: form-data; name=$name\r\n\r\n$content\r\n";
}

function upload(string $name, string $content): string
{
    return "--B\r\nContent-Disposition: form-data; name=$name; filename=$name.bin\r\n\r\n$content\r\n";
}

/** Sends a form; what is as it should be is told by a word. */
function send(TestServer $server, string $form, array $contents): void
{
    $told = $server->request('POST', '/', ['Content-Type' => 'multipart/form-data; boundary=B'], $form)->body;
    foreach ($contents as $content) {
        $told = str_replace('"' . md5($content) . '"', '"right"', $told);
    }
    echo str_replace('"' . md5($form) . '"', '"whole"', $told), "\n";
}

$server = serve(HANDLER, "'body_memory_bytes_max' => '4K', 'package_max_length' => '64M', 'upload_tmp_dir' => place(''),
    'php_ini' => ['upload_max_filesize' => '1M', 'max_file_uploads' => '12']");
[$one, $two, $small] = [random_bytes(500_000), str_repeat("\r\n--\0", 40_000), 'small'];
echo "-- files, small and large, and fields between them\n";
send($server, upload('one', $one) . part('a', str_repeat('v', 9000)) . upload('small', $small) . upload('two', $two) . "--B--\r\n",
    [$one, $two, $small]);
echo "-- too large, cut off, not closed\n";
send($server, upload('one', str_repeat('x', (1 << 20) + 1)) . upload('two', $two) . "--B--\r\n", [$two]);
send($server, upload('two', $two) . substr(upload('one', $one), 0, -100_000), [$two]);
send($server, upload('two', $two), [$two]);
echo "-- more of them than are stored by themselves\n";
$form = '';
for ($nth = 0; $nth < 10; $nth++) {
    $form .= upload("f$nth", "$nth" . $two);
}
send($server, "$form--B--\r\n", array_map(fn (int $nth) => "$nth" . $two, range(0, 9)));
echo "-- a worker that is killed leaves nothing\n";
$server->request('POST', '/', ['Content-Type' => 'multipart/form-data; boundary=B'], upload('die', $one) . "--B--\r\n");
wait_until(fn () => glob($server->place('ferrite-uploads-*')) === [], 'the files are removed');
echo $server->stop(), preg_match('/ERROR(?!.*SIGKILL)|WARN/', $server->log()), "\n";

const READING = <<<'CODE'
    $read = fn () => (int) explode(' ', file('/proc/self/io')[0])[1];
    $told = function (?array $file, int $read): string {
        $content = $file['error'] === 0 ? md5_file($file['tmp_name']) : '';
        return json_encode([$file['error'], $file['size'], $content, $read < 1 << 20 ? 'little' : 'all']);
    };
    CODE;
$options = "'worker_num' => 1, 'reactor_num' => 1, 'body_memory_bytes_max' => '4K', 'package_max_length' => '64M',
    'php_ini' => ['upload_max_filesize' => '5M']";
$server = TestServer::start("\$server->set([$options]);" . READING . <<<'CODE'
    $server->on('Request', function ($request, $response) use ($read, $told) {
        $before = $read();
        $file = $request->files['one'];
        $response->end($told($file, $read() - $before));
    });
    CODE);
$forms = [
    'any bytes' => [$any = random_bytes(4 << 20), upload('one', $any)],
    'lines' => [$lines = str_repeat("line\n-\r\n", 1 << 19), upload('one', $lines) . upload('two', $two)],
    'behind others' => [$any, part('a', substr($lines, 0, 300_000)) . upload('two', $two) . upload('one', $any)],
    'lines that may be delimiters' => [$dashes = str_repeat("\n-\n--C", 700_000), upload('one', $dashes)],
    'more than the form allows' => ['', part('MAX_FILE_SIZE', '2000000') . upload('one', $any)],
    'more than PHP allows' => ['', upload('one', "$any$any")],
];
foreach ($forms as $name => [$content, $form]) {
    echo "-- what PHP's parser reads of a file: $name\n";
    send($server, "$form--B--\r\n", [$content]);
}
$server->stop();
echo "-- and as a script sees it, where the session extension watches uploads\n";
$server = TestServer::start("\$server->set([$options]);" . READING . <<<'CODE'
    $server->on('Request', new Ferrite\Http\Web(function () use ($told) {
        echo $told($_FILES['one'], 0);
    }));
    CODE);
send($server, part('PHP_SESSION_UPLOAD_PROGRESS', 'x') . upload('one', $any) . "--B--\r\n", [$any]);
echo $server->stop(), preg_match('/ERROR|WARN/', $server->log()), "\n";
?>
--EXPECT--
-- files, small and large, and fields between them
[{"one":[0,500000,"right","stored",true,1],"small":[0,5,"right","copied",true,1],"two":[0,200000,"right","stored",true,1]},true,"whole","whole",0]
-- too large, cut off, not closed
[{"one":[1,0],"two":[0,200000,"right","stored",true,1]},false,"whole","whole",0]
[{"two":[0,200000,"right","stored",true,1],"one":[3,0]},false,"whole","whole",0]
[{"two":[3,0]},false,"whole","whole",0]
-- more of them than are stored by themselves
[{"f0":[0,200001,"right","stored",true,1],"f1":[0,200001,"right","stored",true,1],"f2":[0,200001,"right","stored",true,1],"f3":[0,200001,"right","stored",true,1],"f4":[0,200001,"right","stored",true,1],"f5":[0,200001,"right","stored",true,1],"f6":[0,200001,"right","stored",true,1],"f7":[0,200001,"right","stored",true,1],"f8":[0,200001,"right","copied",true,1],"f9":[0,200001,"right","copied",true,1]},false,"whole","whole",0]
-- a worker that is killed leaves nothing
00
-- what PHP's parser reads of a file: any bytes
[0,4194304,"right","little"]
-- what PHP's parser reads of a file: lines
[0,4194304,"right","little"]
-- what PHP's parser reads of a file: behind others
[0,4194304,"right","little"]
-- what PHP's parser reads of a file: lines that may be delimiters
[0,4200000,"right","all"]
-- what PHP's parser reads of a file: more than the form allows
[2,0,"","little"]
-- what PHP's parser reads of a file: more than PHP allows
[1,0,"","little"]
-- and as a script sees it, where the session extension watches uploads
[0,4194304,"right","little"]
00
