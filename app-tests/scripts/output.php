<?php

// Output buffers, exit, shutdown functions, destructors, errors.

class Last
{
    public function __destruct()
    {
        echo "[destructor]\n";
    }
}

register_shutdown_function(function (): void {
    echo '[shutdown ', connection_status(), ' ', error_get_last()['type'] ?? 'no error', "]\n";
});
$last = new Last();
switch ($_GET['case']) {
    case 'exit':
        echo 'before ';
        exit("exit\n");
    case 'nested':
        ob_start(strtoupper(...));
        echo 'outer ';
        ob_start(strrev(...));
        echo 'inner';
        break;
    case 'cleaned':
        ob_start();
        echo 'never seen';
        ob_end_clean();
        echo "seen\n";
        break;
    case 'large':
        for ($piece = 0; $piece < 2000; $piece++) {
            echo str_repeat(chr(65 + $piece % 26), 500), "\n";
        }
        break;
    case 'streamed':
        foreach (['one', 'two', 'three'] as $piece) {
            echo "$piece\n";
            ob_flush();
            flush();
        }
        break;
    case 'exception':
        throw new RuntimeException('nobody catches it');
    case 'half':
        echo str_repeat("half\n", 2000);
        flush();
        undefined_function();
        // no break
    case 'memory':
        ini_set('memory_limit', '8M');
        echo strlen(str_repeat('x', 64 << 20));
        break;
    case 'warning':
        echo 'before ', $undefined, "after\n";
        break;
    case 'handler':
        set_exception_handler(function (Throwable $error): void {
            http_response_code(503);
            echo get_class($error), ' ', $error->getMessage(), "\n";
        });
        throw new LogicException('handled');
    case 'timeout':
        set_time_limit(1);
        while (true);
        // no break
    case 'shutdown':
        register_shutdown_function(function (): void {
            echo "last words\n";
            header('X-Last: 1');
            http_response_code(202);
            register_shutdown_function(fn () => throw new Error('in the very last'));
        });
        echo "first words\n";
        break;
    case 'callback':
        ob_start(fn (string $text, int $phase) => "[$phase $text]", 5);
        echo 'one', 'two ', 'three';
        flush();
        ob_clean();
        echo 'four';
        break;
    case 'assert':
        echo intdiv(1, 0);
        // no break
    case 'recursion':
        (function ($f) { $f($f); })(fn ($f) => [$f($f)]);
        // no break
    case 'parse':
        eval('this is no PHP');
        // no break
    case 'include':
        require 'missing.php';
        // no break
    case 'finish':
        echo 'finished';
        fastcgi_finish_request();
        echo 'never seen';
        file_put_contents(dirname(__DIR__) . '/sessions/finished', 'went on');
        break;
    case 'finished':
        echo @file_get_contents(dirname(__DIR__) . '/sessions/finished');
        break;
    case 'readfile':
        header('Content-Type: text/css');
        readfile('style.css');
        break;
}
