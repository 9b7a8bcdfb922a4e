<?php

// The front script: what is no file comes here.

http_response_code($_SERVER['REQUEST_URI'] === '/' ? 200 : 404);
echo "front {$_SERVER['SCRIPT_NAME']} [", $_SERVER['PATH_INFO'] ?? '', "] {$_SERVER['REQUEST_URI']} ", json_encode($_GET), "\n";
