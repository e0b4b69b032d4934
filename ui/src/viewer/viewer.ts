import './viewer.css';
import { readAddress } from './pageAddress';
import { SessionViewer } from './sessionViewer';

const address = readAddress(location);
if (address) new SessionViewer(address);
else location.replace('/');
