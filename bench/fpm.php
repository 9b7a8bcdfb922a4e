<?php

// The same as server.php, for nginx + php-fpm.

declare(strict_types=1);

switch ($path = strtok($_SERVER['REQUEST_URI'], '?')) {
    case '/hello':
        header('Content-Type: text/plain');
        echo "Hello, World!\n";
        break;
    case '/headers':
        $bytes = 0;
        foreach ($_SERVER as $name => $value) {
            if (str_starts_with($name, 'HTTP_')) {
                $bytes += strlen($name) - strlen('HTTP_') + strlen($value);
            }
        }
        header('Content-Type: text/plain');
        echo "$bytes\n";
        break;
    case '/echo':
        header('Content-Type: application/octet-stream');
        echo file_get_contents('php://input');
        break;
    case '/download':
        header('Content-Type: application/octet-stream');
        $piece = str_repeat('x', 1 << 20);
        for ($sent = 0; $sent < (int) $_GET['mib']; $sent++) {
            echo $piece;
        }
        break;
    case '/upload':
        $bytes = 0;
        for ($body = fopen('php://input', 'rb'); ($piece = fread($body, 1 << 16)) !== false && $piece !== ''; ) {
            $bytes += strlen($piece);
        }
        echo "$bytes\n";
        break;
    case '/form':
        echo "{$_FILES['file']['size']}\n";
        break;
    case '/sleep':
        usleep(100_000);
        echo "slept\n";
        break;
    case '/mix':
        if ($_GET['kind'] === 'slow') {
            usleep(100_000);
        }
        echo "{$_GET['kind']} {$_GET['sent']}\n";
        break;
    default:
        header('Content-Type: application/octet-stream');
        echo str_repeat('x', (int) substr($path, strlen('/size/')));
}
