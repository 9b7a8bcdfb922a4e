--TEST--
script: what runs for a path, what is a file, and what is neither run nor sent
--FILE--
<?php
require __DIR__ . '/classic.inc';

$show = '<?php echo basename(__FILE__), " ", $_SERVER["SCRIPT_NAME"], " [", $_SERVER["PATH_INFO"], "] ", $_SERVER["REQUEST_URI"], "\n";';
$server = classic([
    'index.php' => $show,
    'page.php' => $show,
    'blog/index.php' => $show,
    'blog/style.css' => 'p {}',
    'docs/index.html' => '<p>docs</p>',
    'uploads/evil.php' => $show,
    'uploads/photo.txt' => 'photo',
    '.git/hook.php' => $show,
    '.env' => 'secret',
    'lib.inc' => 'secret',
    'upper.PHP' => 'secret',
], "'php_deny' => ['/uploads/']");
foreach (['/', '/page.php', '/page.php/a/b%20c?q=1', '/blog/', '/any/thing?x', '/missing.php', '/uploads/missing.php',
    '/.git/hook.php', '/%2egit/hook.php', '/.env', '/lib.inc', '/upper.PHP', '/page.php.bak', '/blog%2Findex.php'] as $path) {
    echo "$path: ", $server->get($path)->body;
}
foreach (['/blog?a=1', '/docs', '/uploads/evil.php', '/uploads/evil.php/x', '/uploads/photo.txt', '/blog/style.css',
    '/docs/', '/../page.php', '/%2e%2e/page.php', '/page.php%00', '/%zz', '//evil.example/..'] as $path) {
    $response = $server->get($path);
    echo "$path: $response->status ", $response->header('Location'), $response->status === 200 ? $response->body : '', "\n";
}
echo $server->request('POST', '/blog/style.css', [], 'x')->body, $server->request('OPTIONS', '*')->body;
echo $server->stop(), "\n";
echo preg_match('/WARN|ERROR/', $server->log()), "\n";
?>
--EXPECT--
/: index.php /index.php [] /
/page.php: page.php /page.php [] /page.php
/page.php/a/b%20c?q=1: page.php /page.php [/a/b c] /page.php/a/b%20c?q=1
/blog/: index.php /blog/index.php [] /blog/
/any/thing?x: index.php /index.php [] /any/thing?x
/missing.php: index.php /index.php [] /missing.php
/uploads/missing.php: index.php /index.php [] /uploads/missing.php
/.git/hook.php: index.php /index.php [] /.git/hook.php
/%2egit/hook.php: index.php /index.php [] /%2egit/hook.php
/.env: index.php /index.php [] /.env
/lib.inc: index.php /index.php [] /lib.inc
/upper.PHP: index.php /index.php [] /upper.PHP
/page.php.bak: index.php /index.php [] /page.php.bak
/blog%2Findex.php: index.php /blog/index.php [] /blog%2Findex.php
/blog?a=1: 301 /blog/?a=1
/docs: 301 /docs/
/uploads/evil.php: 403 
/uploads/evil.php/x: 403 
/uploads/photo.txt: 200 photo
/blog/style.css: 200 p {}
/docs/: 200 <p>docs</p>
/../page.php: 400 
/%2e%2e/page.php: 400 
/page.php%00: 400 
/%zz: 400 
//evil.example/..: 400 
index.php /index.php [] /blog/style.css
index.php /index.php [] *
0
0
