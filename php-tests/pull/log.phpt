--TEST--
Pull: lines of the log have the id of the request that they belong to, and none between two requests
--FILE--
<?php
require __DIR__ . '/pull.inc';

$server = pull(<<<'PHP'
    Ferrite\log('warning', 'at the start');
    $handler = function () {
        echo $_SERVER['REQUEST_ID'];
        Ferrite\log('warning', 'within');
        trigger_error('a notice within');
        fastcgi_finish_request();
        Ferrite\log('warning', 'behind the response');
    };
    while (ferrite_handle_request($handler)) {
        Ferrite\log('warning', 'between');
        trigger_error('a notice between');
    }
    Ferrite\log('warning', 'at the end');
    PHP, "'request_id' => true, 'php_ini' => ['display_errors' => 0, 'log_errors' => 1]");
$names = [$server->get('/first')->body => 'of the first', $server->get('/second')->body => 'of the second'];
echo count($names), ' ', $server->stop(), "\n";
preg_match_all('~WARN .*?\] (.*)$~m', $server->log(), $lines);
foreach ($lines[1] as $line) {
    echo strtr(preg_replace('~ in /\S+ on line \d+~', '', $line), $names), "\n";
}
?>
--EXPECT--
2 0
at the start
within [request_id=of the first]
GET /first: PHP Notice:  a notice within [request_id=of the first]
behind the response [request_id=of the first]
between
PHP Notice:  a notice between
within [request_id=of the second]
GET /second: PHP Notice:  a notice within [request_id=of the second]
behind the response [request_id=of the second]
between
PHP Notice:  a notice between
at the end
