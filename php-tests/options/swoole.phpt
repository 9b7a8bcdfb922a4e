--TEST--
Keys that Swoole knows are known; those without effect are taken when they ask for nothing
--FILE--
<?php
$server = new Ferrite\Http\Server('127.0.0.1', 0);
$server->set([
    // What a framework's driver passes.
    'enable_coroutine' => false, 'daemonize' => false, 'log_file' => '', 'log_level' => Ferrite\LOG_INFO,
    'max_request' => 500, 'package_max_length' => 10 * 1024 * 1024, 'reactor_num' => 4, 'send_yield' => true,
    'socket_buffer_size' => 10 * 1024 * 1024, 'task_max_request' => 500, 'task_worker_num' => 0, 'worker_num' => 4,
    // The rest.
    'dispatch_mode' => 3, 'dispatch_func' => null, 'max_request_grace' => 0, 'reload_async' => true,
    'max_conn' => 1000, 'max_queued_bytes' => 0, 'send_timeout' => 5, 'hook_flags' => 0, 'event_object' => false,
    'enable_reuse_port' => false, 'open_cpu_affinity' => false, 'cpu_affinity_ignore' => [], 'pid_file' => '',
    'user' => '', 'group' => '', 'chroot' => '', 'task_ipc_mode' => 1, 'task_tmpdir' => '/tmp',
    'task_enable_coroutine' => false, 'http_parse_cookie' => true, 'http_parse_post' => true,
    'http_parse_files' => false, 'upload_tmp_dir' => '/tmp', 'upload_max_filesize' => 0,
    'http_compression' => false, 'http_compression_level' => 1, 'http_gzip_level' => 1, 'compression_min_length' => 20,
    'buffer_output_size' => 4294967295, 'input_buffer_size' => '2M', 'enable_static_handler' => false,
    'document_root' => '', 'static_handler_locations' => [], 'http_index_files' => [], 'http_autoindex' => false,
    'open_http2_protocol' => false, 'http2_max_concurrent_streams' => 128, 'open_websocket_protocol' => false,
    'websocket_compression' => false, 'backlog' => 512, 'open_tcp_nodelay' => true, 'tcp_fastopen' => 0,
    'tcp_defer_accept' => 0, 'open_tcp_keepalive' => true, 'tcp_keepidle' => 60, 'tcp_keepinterval' => 10,
    'tcp_keepcount' => 3, 'tcp_user_timeout' => 0, 'max_idle_time' => 0, 'heartbeat_check_interval' => 0,
    'heartbeat_idle_time' => 0, 'open_http_protocol' => true, 'ssl_cert_file' => '', 'log_date_format' => '',
    'log_rotation' => 0, 'stats_file' => '', 'stats_timer_interval' => 1000, 'admin_server' => '',
]);
echo count($server->setting), " set\n";
$port = $server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP);
var_dump($port->set(['max_idle_time' => 5, 'open_websocket_protocol' => false]));
try {
    $port->set(['worker_num' => 1]);
} catch (ValueError $error) {
    echo $error->getMessage(), "\n";
}
// All or nothing.
try {
    $server->set(['worker_num' => 9, 'worker_nun' => 9]);
} catch (ValueError $error) {
    echo $error->getMessage(), "\n";
}
var_dump($server->setting['worker_num']);
?>
--EXPECTF--
%d set
bool(true)
Ferrite\Server\Port::set(): Argument #1 ($settings) is not valid: Option 'worker_num' belongs to the server; set it with Server::set()
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Unknown option 'worker_nun', did you mean 'worker_num'?
int(4)
