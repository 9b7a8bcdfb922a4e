--TEST--
A wrong type or range says what is allowed and what was given
--FILE--
<?php
$server = new Ferrite\Http\Server('127.0.0.1', 0);
$cases = [
    ['worker_num', 0], ['worker_num', 1025], ['worker_num', 'many'], ['worker_num', []], ['worker_num', 1.5],
    ['worker_num', null], ['daemonize', 2], ['daemonize', 'yes'],
    ['package_max_length', '12Q'], ['package_max_length', -1], ['package_max_length', true],
    ['keepalive_timeout', 0], ['worker_start_timeout', 0], ['keepalive_timeout', 'soon'], ['keepalive_timeout', INF], ['keepalive_timeout', NAN],
    ['log_file', 5], ['pid_file', "a\0b"], ['server_header', "a\r\nb"], ['server_header', 1],
    ['enable_coroutine', true], ['task_worker_num', 4], ['http2_enable_push', true], ['ssl_dhparam', '/a.pem'],
    ['dispatch_mode', 2], ['log_level', 7], ['worker_num', new stdClass()], ['log_file', str_repeat('x', 80) . "\0"],
];
foreach ($cases as [$key, $value]) {
    try {
        $server->set([$key => $value]);
        echo "$key was accepted\n";
    } catch (TypeError | ValueError $error) {
        echo get_class($error), strstr($error->getMessage(), ' is not valid'), "\n";
    }
}
var_dump($server->setting);
?>
--EXPECT--
ValueError is not valid: Option 'worker_num' must be an int from 1 to 1024, 0 given
ValueError is not valid: Option 'worker_num' must be an int from 1 to 1024, 1025 given
TypeError is not valid: Option 'worker_num' must be an int from 1 to 1024, "many" given
TypeError is not valid: Option 'worker_num' must be an int from 1 to 1024, an array of 0 given
TypeError is not valid: Option 'worker_num' must be an int from 1 to 1024, 1.5 given
TypeError is not valid: Option 'worker_num' must be an int from 1 to 1024, null given
ValueError is not valid: Option 'daemonize' must be true or false, 2 given
TypeError is not valid: Option 'daemonize' must be true or false, "yes" given
ValueError is not valid: Option 'package_max_length' must be bytes from 1K to 1024G, "12Q" given
ValueError is not valid: Option 'package_max_length' must be bytes from 1K to 1024G, -1 given
TypeError is not valid: Option 'package_max_length' must be bytes from 1K to 1024G, true given
ValueError is not valid: Option 'keepalive_timeout' must be seconds from 0.001 to 86400, 0 given
ValueError is not valid: Option 'worker_start_timeout' must be seconds from 0.001 to 86400, 0 given
TypeError is not valid: Option 'keepalive_timeout' must be seconds from 0.001 to 86400, "soon" given
ValueError is not valid: Option 'keepalive_timeout' must be seconds from 0.001 to 86400, inf given
ValueError is not valid: Option 'keepalive_timeout' must be seconds from 0.001 to 86400, NaN given
TypeError is not valid: Option 'log_file' must be a string without NUL bytes, 5 given
ValueError is not valid: Option 'pid_file' must be a string without NUL bytes, "a\0b" given
ValueError is not valid: Option 'server_header' must be true, false or a string without control characters, "a\r\nb" given
TypeError is not valid: Option 'server_header' must be true, false or a string without control characters, 1 given
ValueError is not valid: Option 'enable_coroutine' is not supported: only false, 0, '' or [] is accepted, true given. There are no coroutines: a worker handles one request at a time.
ValueError is not valid: Option 'task_worker_num' is not supported: only false, 0, '' or [] is accepted, 4 given. There are no task workers yet.
ValueError is not valid: Option 'http2_enable_push' is not supported: only false, 0, '' or [] is accepted, true given. Clients have given up server push; `$response->informational(103, …)` tells them what to load.
ValueError is not valid: Option 'ssl_dhparam' is not supported: only false, 0, '' or [] is accepted, "/a.pem" given. Suites with finite-field Diffie-Hellman are not offered.
ValueError is not valid: Option 'dispatch_mode' is not supported: only 1 or 3 or 7 is accepted, 2 given. Every request goes to an idle worker, whichever connection it came in by (as modes 1, 3 and 7).
ValueError is not valid: Option 'log_level' must be an int from 0 to 6, 7 given
TypeError is not valid: Option 'worker_num' must be an int from 1 to 1024, an object given
ValueError is not valid: Option 'log_file' must be a string without NUL bytes, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" given
array(0) {
}
