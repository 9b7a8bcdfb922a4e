<?php

require_once dirname(__DIR__) . '/autoload_runtime.php';

return fn (array $context) => new Kernel('prod', false);
